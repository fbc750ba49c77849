use std::fmt;
use std::sync::Arc;

use minijinja::machinery::ast::{BinOpKind, Expr};
use minijinja::machinery::parse_expr;
use minijinja::{Environment, Expression, UndefinedBehavior};
use self_cell::self_cell;
use serde_json::Value as Json;

use super::functions::{self, Keys};
use super::plan::Plan;
use super::{Scope, Value};

/// An expression of a [`Program`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ExprId(u32);

/// A page of a [`Program`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TemplateId(u32);

/// Steps of the virtual machine that one evaluation may take.
const FUEL: u64 = 200_000;

/// The texts that become a program. Each was found good by [`super::check`] before it is added.
#[derive(Debug, Default)]
pub(crate) struct Sources {
    expressions: Vec<String>,
    /// Each with the name of its file, for messages.
    templates: Vec<(String, String)>,
}

impl Sources {
    pub(crate) fn expression(&mut self, text: &str) -> ExprId {
        let known = self.expressions.iter().position(|other| other == text);
        let index = known.unwrap_or_else(|| {
            self.expressions.push(text.to_owned());
            self.expressions.len() - 1
        });
        ExprId(u32::try_from(index).unwrap_or(u32::MAX))
    }

    pub(crate) fn template(&mut self, file: String, text: String) -> TemplateId {
        self.templates.push((file, text));
        TemplateId(u32::try_from(self.templates.len() - 1).unwrap_or(u32::MAX))
    }

    pub(crate) fn build(self, keys: Arc<Keys>) -> Result<Program, EvalFault> {
        let mut environment = Environment::empty();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_fuel(Some(FUEL));
        environment.set_auto_escape_callback(|_| minijinja::AutoEscape::Html);
        functions::install(&mut environment, &keys);
        for (index, (file, text)) in self.templates.iter().enumerate() {
            environment
                .add_template_owned(index.to_string(), text.clone())
                .map_err(|error| EvalFault::new(&error, file))?;
        }
        let cell = Cell::try_new(environment, |environment| {
            self.expressions
                .iter()
                .map(|text| {
                    environment.compile_expression_owned(text.clone()).map_err(|error| EvalFault::new(&error, text))
                })
                .collect()
        })?;
        let draws = self.expressions.iter().map(|text| text.contains("random_") || text.contains("derived_")).collect();
        let plans = self.expressions.iter().map(|text| Plan::whole(&parse_expr(text).ok()?)).collect();
        let pages = self.templates.into_iter().map(|(file, _)| file).collect();
        Ok(Program { cell, texts: self.expressions, pages, draws, plans, keys })
    }
}

type Expressions<'env> = Vec<Expression<'env, 'static>>;

self_cell!(
    struct Cell {
        owner: Environment<'static>,
        #[covariant]
        dependent: Expressions,
    }
);

/// All expressions and pages of a pack, compiled.
pub(crate) struct Program {
    cell: Cell,
    texts: Vec<String>,
    /// The files of the pages.
    pages: Vec<String>,
    /// Which expressions may draw.
    draws: Vec<bool>,
    plans: Vec<Option<Plan>>,
    keys: Arc<Keys>,
}

impl fmt::Debug for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Program").field("expressions", &self.texts).finish_non_exhaustive()
    }
}

/// An expression failed on the values of this request. The pack is at fault, or the engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct EvalFault {
    pub(crate) expression: String,
    pub(crate) message: String,
}

impl EvalFault {
    pub(super) fn new(error: &minijinja::Error, text: &str) -> Self {
        let message = match error.detail() {
            Some(detail) => format!("{}: {detail}", error.kind()),
            None => error.kind().to_string(),
        };
        EvalFault { expression: text.to_owned(), message }
    }
}

impl fmt::Display for EvalFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` has no value: {}", self.expression, self.message)
    }
}

impl Program {
    /// The value of an expression; may be undefined. Its draws are named `slot`.
    pub(crate) fn eval(&self, id: ExprId, scope: &Scope, slot: &str) -> Result<Value, EvalFault> {
        if let Some(Some(plan)) = self.plans.get(id.0 as usize)
            && let Some(value) = plan.eval(scope, slot)
        {
            return Ok(Value(value));
        }
        self.machine(id, scope, slot)
    }

    pub(super) fn machine(&self, id: ExprId, scope: &Scope, slot: &str) -> Result<Value, EvalFault> {
        let expressions = self.cell.borrow_dependent();
        let index = id.0 as usize;
        match expressions.get(index) {
            Some(expression) => expression
                .eval(scope.root(self.draws[index].then_some(slot)))
                .map(Value)
                .map_err(|error| EvalFault::new(&error, &self.texts[index])),
            None => Ok(Value::undefined()),
        }
    }

    /// Whether an expression may draw, so that its slot matters.
    pub(crate) fn draws(&self, id: ExprId) -> bool {
        self.draws.get(id.0 as usize).copied().unwrap_or(false)
    }

    /// Whether a condition holds.
    pub(crate) fn holds(&self, id: ExprId, scope: &Scope) -> Result<bool, EvalFault> {
        self.eval(id, scope, "").map(|value| value.is_true())
    }

    /// What stands on the two sides of an expression that compares two values, for words about one that does not hold.
    pub(crate) fn sides(&self, id: ExprId, scope: &Scope) -> Option<(Json, Json)> {
        let text = self.text(id);
        let Expr::BinOp(binary) = parse_expr(text).ok()? else { return None };
        let sign = comparison(&binary.op)?;
        // The places that the parser gives leave parts of expressions out. What is no whole expression does not parse.
        let whole = |side: &str| parse_expr(side).is_ok();
        let mut parts = text.match_indices(sign).map(|(at, _)| (&text[..at], &text[at + sign.len()..]));
        let (left, right) = parts.find(|(left, right)| whole(left) && whole(right))?;
        let environment = self.cell.borrow_owner();
        let value =
            |side: &str| Value(environment.compile_expression(side).ok()?.eval(scope.root(None)).ok()?).to_json();
        Some((value(left)?, value(right)?))
    }

    /// An HTML page.
    pub(crate) fn page(&self, id: TemplateId, scope: &Scope) -> Result<String, EvalFault> {
        let environment = self.cell.borrow_owner();
        environment.get_template(&id.0.to_string()).and_then(|template| template.render(scope.root(None))).map_err(
            |error| {
                let file = self.pages.get(id.0 as usize).map_or("page", String::as_str);
                let line = error.line().map_or_else(String::new, |line| format!(":{line}"));
                EvalFault::new(&error, &format!("{file}{line}"))
            },
        )
    }

    /// The expression as the pack says it.
    pub(crate) fn text(&self, id: ExprId) -> &str {
        self.texts.get(id.0 as usize).map_or("", String::as_str)
    }

    pub(crate) fn keys(&self) -> &Keys {
        &self.keys
    }
}

/// How a comparison is written.
fn comparison(op: &BinOpKind) -> Option<&'static str> {
    Some(match op {
        BinOpKind::Eq => "==",
        BinOpKind::Ne => "!=",
        BinOpKind::Lt => "<",
        BinOpKind::Lte => "<=",
        BinOpKind::Gt => ">",
        BinOpKind::Gte => ">=",
        BinOpKind::In => " in ",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Instant;
    use crate::expr::Draws;

    fn eval(text: &str, scope: &Scope) -> Result<Value, EvalFault> {
        let mut sources = Sources::default();
        let id = sources.expression(text);
        sources.build(Arc::default()).unwrap().eval(id, scope, "slot")
    }

    #[test]
    fn values_keep_their_kind() {
        let mut scope = Scope::new(Draws::new(1, 1));
        scope.bind("body", Value::source(Arc::new(Arc::new(serde_json::json!({ "a": [1, null], "b": false })))));
        let json = |text: &str| eval(text, &scope).unwrap().to_json().unwrap();
        assert_eq!(json("body.b"), serde_json::json!(false));
        assert_eq!(json("body.a"), serde_json::json!([1, null]));
        assert_eq!(json("body.a|length + 1"), serde_json::json!(3));
        assert_eq!(json("days(7)"), serde_json::json!(604_800_000_000_i64));
        assert_eq!(json("without(merge(body, {'c': 1}), 'a')"), serde_json::json!({ "b": false, "c": 1 }));
    }

    #[test]
    fn texts_are_read_as_instants_and_instants_written_for_people() {
        let scope = Scope::new(Draws::new(1, 1));
        let value = |text: &str| eval(text, &scope).unwrap();
        let start = Instant::START.micros();
        assert_eq!(value("'2024-10-01T17:15:12Z'|instant").as_i64(), Some(start));
        assert_eq!(value("'2024-10-01T22:45:12.000+0530'|instant").as_i64(), Some(start));
        assert_eq!(value("'01.10.2024 22:45:12'|instant('%d.%m.%Y %H:%M:%S', '+05:30')").as_i64(), Some(start));
        assert!(value("'2024-02-30T00:00:00Z'|instant").is_undefined());
        assert!(value("'soon'|instant('%Y-%m-%dT%H:%M:%S')").is_undefined());
        assert_eq!(value("('2024-10-01T17:15:12Z'|instant)|time('%H:%M', '+05:30')").text(), "22:45");
    }

    #[test]
    fn undefined_stays_undefined_and_its_use_is_an_error() {
        let mut scope = Scope::new(Draws::new(1, 1));
        scope.bind("body", Value::source(Arc::new(Arc::new(serde_json::json!({})))));
        assert!(eval("body.name", &scope).unwrap().is_undefined());
        assert!(eval("body.name.first", &scope).is_err());
        assert!(eval("body.name ~ 'x'", &scope).is_err());
    }

    #[test]
    fn draws_repeat_and_follow_their_slot() {
        let scope = Scope::new(Draws::new(1, 1));
        let text = |text: &str| eval(text, &scope).unwrap().text();
        assert_eq!(text("random_hex(64)").len(), 64);
        assert_eq!(text("random_hex(64)"), text("random_hex(64)"));
        assert_ne!(text("random_hex(8)"), text("[random_hex(8), random_hex(8)][1]"));
        assert_eq!(text("derived_digits('k', 10)"), text("derived_digits('k', 10)"));
    }

    #[test]
    fn evaluation_is_bounded() {
        let scope = Scope::default();
        assert!(eval("'a'|replace('a', 'b')", &scope).is_ok());
        assert!(eval("undefined_name", &scope).unwrap().is_undefined());
    }
}
