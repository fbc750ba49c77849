//! What can be said about an expression without running it: unknown names, fields, functions, and comparisons of
//! kinds that can never be equal.

use std::collections::HashSet;
use std::ops::Range;

use minijinja::Environment;
use minijinja::machinery::ast::{self, BinOpKind, CallArg, CompareOpKind, Expr};
use minijinja::machinery::{Span, parse, parse_expr};

use super::length;
use super::tables::{self, FILTERS, FUNCTIONS, TESTS, Word};
use super::{Fault, Kind, Names};
use crate::diagnostic::{Code, all_of, nearest, there_are};
use crate::exchange::is_media;

/// Finds the kind of an expression's value, and everything wrong with it.
pub(crate) fn check(text: &str, names: &Names) -> (Kind, Vec<Fault>) {
    if let Some(fault) = length::of_expression(text) {
        return (Kind::Any, vec![fault]);
    }
    match parse_expr(text) {
        Ok(expr) => {
            let mut checker = Checker { text, faults: Vec::new() };
            let kind = checker.expr(&expr, names);
            (kind, checker.faults)
        }
        Err(error) => (Kind::Any, vec![syntax("an expression", &error, text)]),
    }
}

/// The names that an expression looks at; none when it cannot be read.
pub(crate) fn mentioned(text: &str) -> HashSet<String> {
    if length::of_expression(text).is_some() {
        return HashSet::new();
    }
    let environment = Environment::empty();
    environment.compile_expression(text).map(|expression| expression.undeclared_variables(false)).unwrap_or_default()
}

/// Finds everything wrong with a page template. Only output, `if`, `for`, `set` and `with` are used in pages.
pub(crate) fn check_template(text: &str, names: &Names) -> Vec<Fault> {
    if let Some(fault) = length::of_page(text) {
        return vec![fault];
    }
    let syntax_config = minijinja::syntax::SyntaxConfig::default();
    match parse(text, "page", syntax_config) {
        Ok(statement) => {
            let mut checker = Checker { text, faults: Vec::new() };
            let mut names = names.clone();
            checker.statement(&statement, &mut names);
            checker.faults
        }
        Err(error) => vec![Fault { code: Code::TemplateInvalid, ..syntax("a page", &error, text) }],
    }
}

fn syntax(what: &str, error: &minijinja::Error, text: &str) -> Fault {
    let range = error.range().filter(|range| range.end <= text.len()).unwrap_or(0..text.len());
    let words = error.detail().map_or_else(|| error.kind().to_string(), str::to_owned);
    let message = format!("this is not {what}: {words}");
    // A word behind a test is read as what it tests with, and `if` is a word.
    let test_and_choice = text.contains(" is ") && text.contains(" if ");
    let help = (test_and_choice && what == "an expression")
        .then(|| "put a test that stands before `if` in parentheses: `(x is defined) if …`".to_owned());
    Fault { code: Code::ExprSyntax, range, message, suggestion: None, help }
}

pub(super) struct Checker<'t> {
    text: &'t str,
    faults: Vec<Fault>,
}

pub(super) fn bytes(span: Span) -> Range<usize> {
    span.start_offset as usize..span.end_offset as usize
}

impl Checker<'_> {
    /// `days("7")`: a length of time is made of a whole number.
    fn length_of_time(&mut self, word: &Word, given: Option<&Kind>, range: Range<usize>) {
        let makes_span = (word.result)(&Kind::Any) == Kind::Span;
        if let Some(kind) = given
            && makes_span
            && !matches!(kind, Kind::Any | Kind::Integer)
        {
            let message = format!("`{}` takes a whole number, not {kind}", word.name);
            let help = Some(format!("write `{}(7)`", word.name));
            self.fault(Code::ExprKinds, range, message, None, help);
        }
    }

    /// `accepts(1, "json")`: a header's text and the name of a media type.
    fn media(&mut self, word: &Word, given: &[Kind], arguments: &[CallArg<'_>], range: Range<usize>) {
        if word.name != "accepts" {
            return;
        }
        if let Some(kind) = given.iter().find(|kind| !matches!(kind, Kind::Any | Kind::String)) {
            let message = format!("`{}` takes texts, not {kind}", word.name);
            let help = Some("write `accepts(headers.accept|default(\"*/*\"), \"application/json\")`".to_owned());
            self.fault(Code::ExprKinds, range, message, None, help);
        } else if let Some(CallArg::Pos(Expr::Const(constant))) = arguments.get(1)
            && let Some(text) = constant.value.as_str()
            && !is_media(text)
        {
            let message = format!("`{text}` is not a media type");
            let help = Some("write it like `application/json`".to_owned());
            self.fault(Code::ExprKinds, bytes(constant.span()), message, None, help);
        }
    }

    /// The name that a stretch of the text ends with.
    fn last_word(&self, range: Range<usize>, name: &str) -> Range<usize> {
        match self.text.get(range.clone()).and_then(|part| part.rfind(name)) {
            Some(at) => range.start + at..range.start + at + name.len(),
            None => range,
        }
    }

    pub(super) fn fault(
        &mut self,
        code: Code,
        range: Range<usize>,
        message: String,
        suggestion: Option<String>,
        help: Option<String>,
    ) {
        self.faults.push(Fault { code, range, message, suggestion, help });
    }

    fn expr(&mut self, expr: &Expr<'_>, names: &Names) -> Kind {
        match expr {
            Expr::Var(var) if var.id == "null" => Kind::Null,
            Expr::Var(var) => match names.get(var.id) {
                Some(kind) => kind.clone(),
                None => {
                    let known: Vec<&str> = names.iter().collect();
                    let suggestion = nearest(var.id, known.iter().copied());
                    if suggestion.is_none() && names.is_open() {
                        return Kind::Any;
                    }
                    let help = format!("in scope here: {}", all_of(known));
                    let message = format!("`{}` is not in scope here", var.id);
                    self.fault(Code::ExprUnknownName, bytes(var.span()), message, suggestion, Some(help));
                    Kind::Any
                }
            },
            Expr::Const(constant) => constant_kind(&constant.value),
            Expr::GetAttr(attr) => {
                let base = self.expr(&attr.expr, names);
                self.member(&base, attr.name, self.last_word(bytes(attr.span()), attr.name))
            }
            Expr::GetItem(item) => {
                let base = self.expr(&item.expr, names);
                self.expr(&item.subscript_expr, names);
                match (&base, &item.subscript_expr) {
                    (Kind::Object(_), Expr::Const(key)) if key.value.as_str().is_some() => {
                        self.member(&base, key.value.as_str().unwrap_or_default(), bytes(key.span()))
                    }
                    (Kind::Object(object), _) => object.rest.clone().unwrap_or(Kind::Any),
                    (Kind::List(element), _) => (**element).clone(),
                    _ => Kind::Any,
                }
            }
            Expr::Slice(slice) => {
                let base = self.expr(&slice.expr, names);
                for part in [&slice.start, &slice.stop, &slice.step].into_iter().flatten() {
                    self.expr(part, names);
                }
                base
            }
            Expr::UnaryOp(unary) => {
                let inner = self.expr(&unary.expr, names);
                match unary.op {
                    ast::UnaryOpKind::Not => Kind::Boolean,
                    ast::UnaryOpKind::Neg => inner,
                }
            }
            Expr::BinOp(binary) => self.binary(binary, names),
            Expr::Compare(compare) => {
                let mut left = self.expr(&compare.expr, names);
                for operand in &compare.ops {
                    let right = self.expr(&operand.expr, names);
                    if !matches!(operand.op, CompareOpKind::In | CompareOpKind::NotIn) {
                        self.compared(&left, &right, bytes(compare.span()));
                    }
                    match operand.op {
                        CompareOpKind::Eq | CompareOpKind::Ne => self.equal(&compare.expr, &operand.expr, names),
                        CompareOpKind::In | CompareOpKind::NotIn => self.chosen(&compare.expr, &operand.expr, names),
                        _ => {}
                    }
                    left = right;
                }
                Kind::Boolean
            }
            Expr::IfExpr(choice) => {
                self.expr(&choice.test_expr, names);
                let yes = self.expr(&choice.true_expr, names);
                match &choice.false_expr {
                    Some(no_expr) => {
                        let no = self.expr(no_expr, names);
                        // `x if … else null` may still be shown as an x, and so may `list if … else []`.
                        let (nothing, nothing_else) = (is_empty_list(&choice.true_expr), is_empty_list(no_expr));
                        match (yes, no) {
                            (kind, Kind::Null) | (Kind::Null, kind) => kind,
                            (kind, Kind::List(_)) if nothing_else => kind,
                            (Kind::List(_), kind) if nothing => kind,
                            (yes, no) => yes.or(no),
                        }
                    }
                    None => yes,
                }
            }
            Expr::Filter(filter) => {
                let input = filter.expr.as_ref().map_or(Kind::Any, |expr| self.expr(expr, names));
                let given = self.arguments(&filter.args, names);
                self.named_test(filter.name, &filter.args);
                if filter.name == "default" {
                    let fallback = given.first().cloned().unwrap_or(Kind::Any);
                    self.word("filter", FILTERS, filter.name, given.len(), bytes(filter.span()));
                    return match fallback {
                        Kind::Null => input,
                        fallback => input.or(fallback),
                    };
                }
                match self.word("filter", FILTERS, filter.name, given.len(), bytes(filter.span())) {
                    Some(word) => (word.result)(&input),
                    None => Kind::Any,
                }
            }
            Expr::Test(test) => {
                self.expr(&test.expr, names);
                let given = self.arguments(&test.args, names);
                self.word("test", TESTS, test.name, given.len(), bytes(test.span()));
                Kind::Boolean
            }
            Expr::Call(call) => {
                let given = self.arguments(&call.args, names);
                match &call.expr {
                    Expr::Var(var) => match self.word("function", FUNCTIONS, var.id, given.len(), bytes(var.span())) {
                        Some(word) => {
                            self.length_of_time(word, given.first(), bytes(call.span()));
                            self.media(word, &given, &call.args, bytes(call.span()));
                            (word.result)(given.first().unwrap_or(&Kind::Any))
                        }
                        None => Kind::Any,
                    },
                    Expr::GetAttr(method) => {
                        self.expr(&method.expr, names);
                        let message = format!("`{}` is called like a method, and there are no methods", method.name);
                        let range = self.last_word(bytes(method.span()), method.name);
                        let suggestion = nearest(method.name, FILTERS.iter().map(|word| word.name));
                        let help = Some("use a filter, such as `x|length`".to_owned());
                        self.fault(Code::ExprUnknownFunction, range, message, suggestion, help);
                        Kind::Any
                    }
                    other => {
                        self.expr(other, names);
                        let message = "only functions are called".to_owned();
                        self.fault(Code::ExprUnknownFunction, bytes(call.span()), message, None, None);
                        Kind::Any
                    }
                }
            }
            Expr::List(list) => {
                let kinds: Vec<Kind> = list.items.iter().map(|item| self.expr(item, names)).collect();
                Kind::List(Box::new(kinds.into_iter().reduce(Kind::or).unwrap_or(Kind::Any)))
            }
            Expr::Tuple(tuple) => {
                for item in &tuple.items {
                    self.expr(item, names);
                }
                Kind::List(Box::new(Kind::Any))
            }
            Expr::Map(map) => {
                for key in &map.keys {
                    self.expr(key, names);
                }
                for value in &map.values {
                    self.expr(value, names);
                }
                Kind::map("an object", Kind::Any)
            }
        }
    }

    fn arguments(&mut self, arguments: &[CallArg<'_>], names: &Names) -> Vec<Kind> {
        arguments
            .iter()
            .map(|argument| match argument {
                CallArg::Pos(expr) | CallArg::Kwarg(_, expr) | CallArg::PosSplat(expr) | CallArg::KwargSplat(expr) => {
                    self.expr(expr, names)
                }
            })
            .collect()
    }

    /// `select` and its like take a test by name.
    fn named_test(&mut self, filter: &str, arguments: &[CallArg<'_>]) {
        let position = match filter {
            "select" | "reject" => 0,
            "selectattr" | "rejectattr" => 1,
            _ => return,
        };
        if let Some(CallArg::Pos(Expr::Const(constant))) = arguments.get(position)
            && let Some(name) = constant.value.as_str()
            && tables::find(TESTS, name).is_none()
        {
            let suggestion = nearest(name, TESTS.iter().map(|word| word.name));
            let help = there_are(TESTS.iter().map(|word| word.name));
            let message = format!("there is no test `{name}`");
            let help = suggestion.is_none().then_some(help);
            self.fault(Code::ExprUnknownFunction, bytes(constant.span()), message, suggestion, help);
        }
    }

    fn word(
        &mut self,
        sort: &str,
        table: &'static [Word],
        name: &str,
        given: usize,
        range: Range<usize>,
    ) -> Option<&'static Word> {
        let Some(word) = tables::find(table, name) else {
            let suggestion = nearest(name, table.iter().map(|word| word.name));
            let message = format!("there is no {sort} `{name}`");
            let help = there_are(table.iter().map(|word| word.name));
            // The whole table is of use only to those who guessed wildly.
            let help = suggestion.is_none().then_some(help);
            self.fault(Code::ExprUnknownFunction, range, message, suggestion, help);
            return None;
        };
        if !word.arguments.contains(&given) {
            let (least, most) = (word.arguments.start(), word.arguments.end());
            let wanted = if least == most { least.to_string() } else { format!("{least} to {most}") };
            let plural = if *most == 1 { "" } else { "s" };
            let message = format!("`{name}` takes {wanted} argument{plural}, not {given}");
            self.fault(Code::ExprUnknownFunction, range, message, None, None);
        }
        Some(word)
    }

    fn member(&mut self, base: &Kind, name: &str, range: Range<usize>) -> Kind {
        let message = match base {
            Kind::Any => return Kind::Any,
            Kind::Object(object) => {
                if let Some((_, kind)) = object.fields.iter().find(|(known, _)| known == name) {
                    return kind.clone();
                }
                if let Some(rest) = &object.rest {
                    return rest.clone();
                }
                let suggestion = nearest(name, object.fields.iter().map(|(known, _)| known.as_str()));
                let help = match object.fields.is_empty() {
                    // A receiver has its name from the step that makes it.
                    true if object.what == "the list of receivers" => format!("a step makes it: `- receive: {name}`"),
                    true => format!("nothing is known to be in {}", object.what),
                    false => {
                        format!("{} has {}", object.what, all_of(object.fields.iter().map(|(known, _)| known.as_str())))
                    }
                };
                let message = format!("{} has no `{name}`", object.what);
                self.fault(Code::ExprUnknownField, range, message, suggestion, Some(help));
                return Kind::Any;
            }
            other => format!("{other} has no member `{name}`"),
        };
        self.fault(Code::ExprUnknownField, range, message, None, None);
        Kind::Any
    }

    fn compared(&mut self, left: &Kind, right: &Kind, range: Range<usize>) {
        if !left.comparable(right) {
            let message = format!("{left} is compared with {right}: they are never equal and have no order");
            self.fault(Code::ExprKinds, range, message, None, None);
        }
    }

    fn binary(&mut self, binary: &ast::Spanned<ast::BinOp<'_>>, names: &Names) -> Kind {
        let left = self.expr(&binary.left, names);
        let right = self.expr(&binary.right, names);
        let range = bytes(binary.span());
        match binary.op {
            BinOpKind::Eq | BinOpKind::Ne => self.equal(&binary.left, &binary.right, names),
            BinOpKind::In => self.chosen(&binary.left, &binary.right, names),
            _ => {}
        }
        match binary.op {
            BinOpKind::ScAnd | BinOpKind::ScOr => left.or(right),
            BinOpKind::Eq | BinOpKind::Ne | BinOpKind::Lt | BinOpKind::Lte | BinOpKind::Gt | BinOpKind::Gte => {
                self.compared(&left, &right, range);
                Kind::Boolean
            }
            BinOpKind::In => Kind::Boolean,
            BinOpKind::Concat => Kind::String,
            op => self.arithmetic(op, &left, &right, range),
        }
    }

    fn arithmetic(&mut self, op: BinOpKind, left: &Kind, right: &Kind, range: Range<usize>) -> Kind {
        use Kind::{Any, Instant, Integer, Number};
        match (op, left, right) {
            (_, Any, _) | (_, _, Any) => Any,
            (BinOpKind::Add | BinOpKind::Sub, Instant(format), Kind::Span) => Instant(*format),
            (BinOpKind::Add, Kind::Span, Instant(format)) => Instant(*format),
            (BinOpKind::Sub, Instant(_), Instant(_)) => Kind::Span,
            (BinOpKind::Add | BinOpKind::Sub, Kind::Span, Kind::Span) => Kind::Span,
            (BinOpKind::Mul, Kind::Span, Integer | Number) | (BinOpKind::Mul, Integer | Number, Kind::Span) => {
                Kind::Span
            }
            (BinOpKind::Div | BinOpKind::Pow, Integer | Number, Integer | Number) => Number,
            (_, Integer, Integer) => Integer,
            (_, Integer | Number, Integer | Number) => Number,
            (BinOpKind::Add, Kind::String, Kind::String) => Kind::String,
            (BinOpKind::Add, Kind::List(a), Kind::List(b)) => Kind::List(Box::new((**a).clone().or((**b).clone()))),
            _ => {
                let message = format!("{left} and {right} cannot be combined like this");
                let help = match (left, right) {
                    (Instant(_), Integer | Number) => {
                        Some("write the length of time with its unit, such as `days(7)`".to_owned())
                    }
                    (Kind::String, _) | (_, Kind::String) => Some("texts are joined with `~`".to_owned()),
                    _ => None,
                };
                self.fault(Code::ExprKinds, range, message, None, help);
                Any
            }
        }
    }

    fn statement(&mut self, statement: &ast::Stmt<'_>, names: &mut Names) {
        match statement {
            ast::Stmt::Template(template) => self.statements(&template.children, names),
            ast::Stmt::EmitExpr(emit) => {
                self.expr(&emit.expr, names);
            }
            ast::Stmt::EmitRaw(_) => {}
            ast::Stmt::ForLoop(each) => {
                let over = self.expr(&each.iter, names);
                let mut inner = names.clone();
                inner.bind("loop", Kind::Any);
                if let Expr::Var(target) = &each.target {
                    inner.bind(
                        target.id,
                        match over {
                            Kind::List(item) => *item,
                            _ => Kind::Any,
                        },
                    );
                }
                if let Some(filter) = &each.filter_expr {
                    self.expr(filter, &inner);
                }
                self.statements(&each.body, &mut inner);
                self.statements(&each.else_body, names);
            }
            ast::Stmt::IfCond(choice) => {
                self.expr(&choice.expr, names);
                self.statements(&choice.true_body, names);
                self.statements(&choice.false_body, names);
            }
            ast::Stmt::Set(set) => {
                let kind = self.expr(&set.expr, names);
                if let Expr::Var(target) = &set.target {
                    names.bind(target.id, kind);
                }
            }
            other => {
                let message = "pages use output, `if`, `for` and `set` only".to_owned();
                self.fault(Code::TemplateInvalid, statement_range(other), message, None, None);
            }
        }
    }

    fn statements(&mut self, statements: &[ast::Stmt<'_>], names: &mut Names) {
        for statement in statements {
            self.statement(statement, names);
        }
    }
}

/// Where a statement that pages do not use stands.
fn statement_range(statement: &ast::Stmt<'_>) -> Range<usize> {
    use ast::Stmt;
    match statement {
        Stmt::WithBlock(inner) => bytes(inner.span()),
        Stmt::SetBlock(inner) => bytes(inner.span()),
        Stmt::AutoEscape(inner) => bytes(inner.span()),
        Stmt::FilterBlock(inner) => bytes(inner.span()),
        Stmt::Block(inner) => bytes(inner.span()),
        Stmt::Import(inner) => bytes(inner.span()),
        Stmt::FromImport(inner) => bytes(inner.span()),
        Stmt::Extends(inner) => bytes(inner.span()),
        Stmt::Include(inner) => bytes(inner.span()),
        Stmt::Macro(inner) => bytes(inner.span()),
        Stmt::CallBlock(inner) => bytes(inner.span()),
        Stmt::Do(inner) => bytes(inner.span()),
        _ => 0..0,
    }
}

fn is_empty_list(expr: &Expr<'_>) -> bool {
    match expr {
        Expr::List(list) => list.items.is_empty(),
        Expr::Const(constant) => {
            constant.value.kind() == minijinja::value::ValueKind::Seq && constant.value.len() == Some(0)
        }
        _ => false,
    }
}

pub(super) fn constant_kind(value: &minijinja::Value) -> Kind {
    use minijinja::value::ValueKind;
    match value.kind() {
        ValueKind::None | ValueKind::Undefined => Kind::Null,
        ValueKind::Bool => Kind::Boolean,
        ValueKind::Number if value.is_integer() => Kind::Integer,
        ValueKind::Number => Kind::Number,
        ValueKind::String => Kind::String,
        _ => Kind::Any,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names() -> Names {
        let mut names = Names::default();
        let customer = Kind::object(
            "a `customer`",
            vec![
                ("name".to_owned(), Kind::String),
                ("is_paying".to_owned(), Kind::Boolean),
                ("trial_ends_at".to_owned(), Kind::Instant(0)),
            ],
        );
        names.bind("now", Kind::Instant(0));
        names.bind("customer", customer.clone());
        names.bind(
            "records",
            Kind::object("the records", vec![("customer".to_owned(), Kind::map("the customers", customer))]),
        );
        names
    }

    fn faults(text: &str) -> Vec<(Code, &str)> {
        check(text, &names()).1.into_iter().map(|fault| (fault.code, &text[fault.range])).collect()
    }

    #[test]
    fn kinds_follow_from_the_names() {
        let kind = |text: &str| {
            let (kind, faults) = check(text, &names());
            assert_eq!(faults, [], "{text}");
            kind
        };
        assert_eq!(kind("now + days(7)"), Kind::Instant(0));
        assert_eq!(kind("customer.is_paying or now < customer.trial_ends_at"), Kind::Boolean);
        assert_eq!(kind("records.customer['x'].name ~ 1"), Kind::String);
        assert_eq!(kind("records.customer|values|first|default(null)").resource(), None);
        assert_eq!(kind("(records.customer|values)|length"), Kind::Integer);
    }

    #[test]
    fn the_names_of_an_expression_are_those_it_looks_up() {
        let names = mentioned("records.customer[body.id] is defined and now < days(7) + customer.trial_ends_at");
        assert!(["records", "body", "now", "customer"].into_iter().all(|name| names.contains(name)));
        assert!(!mentioned("customer.body == 'body'").contains("body"));
    }

    #[test]
    fn mistakes_are_found_at_their_place() {
        assert_eq!(faults("customr.name"), [(Code::ExprUnknownName, "customr")]);
        assert_eq!(faults("customer.nmae"), [(Code::ExprUnknownField, "nmae")]);
        assert_eq!(faults("now < customer.name"), [(Code::ExprKinds, "now < customer.name")]);
        assert_eq!(faults("now + 7"), [(Code::ExprKinds, "now + 7")]);
        assert_eq!(faults("customer.name|uper"), [(Code::ExprUnknownFunction, "uper")]);
        assert_eq!(faults("dayz(7)"), [(Code::ExprUnknownFunction, "dayz")]);
        assert_eq!(faults("days()"), [(Code::ExprUnknownFunction, "days")]);
        assert_eq!(faults("customer.name is fine"), [(Code::ExprUnknownFunction, "fine")]);
        assert_eq!(faults("customer['nmae']"), [(Code::ExprUnknownField, "'nmae'")]);
        assert_eq!(faults("customer.name.strip()"), [(Code::ExprUnknownFunction, "strip")]);
        assert_eq!(faults("[1]|select('evn')"), [(Code::ExprUnknownFunction, "'evn'")]);
        assert_eq!(faults("1 +").len(), 1);
    }

    #[test]
    fn where_names_are_missing_only_misspelt_ones_are_told() {
        let mut open = names();
        open.open();
        let faults = |text: &str| check(text, &open).1.len();
        assert_eq!((faults("order.id"), faults("customr.name")), (0, 1));
    }
}
