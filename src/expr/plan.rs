//! Expressions that need no virtual machine: paths, literals, joined texts, sums and comparisons of whole numbers,
//! `and`, `or`, `not`. Where a plan meets a value that it is not made for it gives up, and the machine decides; so a
//! plan can only ever be faster, never different.

use std::ops::Deref;

use minijinja::Value;
use minijinja::machinery::ast::{BinOpKind, CallArg, CompareOpKind, Expr, UnaryOpKind};

use super::value::Members;
use super::{Scope, functions};

#[derive(Debug)]
pub(super) enum Plan {
    Constant(Value),
    Path {
        root: String,
        members: Vec<String>,
    },
    /// `a ~ b`
    Join(Box<Plan>, Box<Plan>),
    Add(Box<Plan>, Box<Plan>),
    Subtract(Box<Plan>, Box<Plan>),
    Compare(CompareOpKind, Box<Plan>, Box<Plan>),
    Not(Box<Plan>),
    And(Box<Plan>, Box<Plan>),
    Or(Box<Plan>, Box<Plan>),
    /// One random text and nothing else: its draw is the first under its slot.
    Random {
        alphabet: &'static [u8],
        count: usize,
    },
}

impl Plan {
    /// The plan of a whole expression, when all of it can be planned.
    pub(super) fn whole(expr: &Expr<'_>) -> Option<Plan> {
        if let Expr::Call(call) = expr
            && let (Expr::Var(function), [CallArg::Pos(argument)]) = (&call.expr, call.args.as_slice())
            && let Some(suffix) = function.id.strip_prefix("random_")
        {
            let alphabet = functions::ALPHABETS.iter().find(|(name, _)| *name == suffix)?.1;
            let count = usize::try_from(argument.as_const()?.as_i64()?).ok()?;
            return (count <= functions::MOST_CHARACTERS).then_some(Plan::Random { alphabet, count });
        }
        Plan::of(expr)
    }

    /// The plan of an expression or of a part of one.
    fn of(expr: &Expr<'_>) -> Option<Plan> {
        let boxed = |expr: &Expr<'_>| Plan::of(expr).map(Box::new);
        Some(match expr {
            Expr::Const(constant) => Plan::Constant(constant.value.clone()),
            Expr::Var(var) if var.id == "null" => Plan::Constant(Value::from(())),
            Expr::Var(var) => Plan::Path { root: var.id.to_owned(), members: Vec::new() },
            Expr::GetAttr(attr) => match Plan::of(&attr.expr)? {
                Plan::Path { root, mut members } => {
                    members.push(attr.name.to_owned());
                    Plan::Path { root, members }
                }
                _ => return None,
            },
            Expr::Call(call) => match (&call.expr, call.args.as_slice()) {
                (Expr::Var(function), [CallArg::Pos(argument)]) => {
                    let unit = functions::UNITS.iter().find(|(name, _)| *name == function.id)?.1;
                    let count = argument.as_const()?.as_i64()?;
                    Plan::Constant(Value::from(count.checked_mul(unit)?))
                }
                _ => return None,
            },
            Expr::UnaryOp(unary) => match unary.op {
                UnaryOpKind::Not => Plan::Not(boxed(&unary.expr)?),
                UnaryOpKind::Neg => return None,
            },
            Expr::BinOp(binary) => {
                let (left, right) = (boxed(&binary.left)?, boxed(&binary.right)?);
                match binary.op {
                    BinOpKind::Concat => Plan::Join(left, right),
                    BinOpKind::Add => Plan::Add(left, right),
                    BinOpKind::Sub => Plan::Subtract(left, right),
                    BinOpKind::ScAnd => Plan::And(left, right),
                    BinOpKind::ScOr => Plan::Or(left, right),
                    BinOpKind::Eq => Plan::Compare(CompareOpKind::Eq, left, right),
                    BinOpKind::Ne => Plan::Compare(CompareOpKind::Ne, left, right),
                    BinOpKind::Lt => Plan::Compare(CompareOpKind::Lt, left, right),
                    BinOpKind::Lte => Plan::Compare(CompareOpKind::Lte, left, right),
                    BinOpKind::Gt => Plan::Compare(CompareOpKind::Gt, left, right),
                    BinOpKind::Gte => Plan::Compare(CompareOpKind::Gte, left, right),
                    _ => return None,
                }
            }
            Expr::Compare(compare) => match compare.ops.as_slice() {
                [only] if !matches!(only.op, CompareOpKind::In | CompareOpKind::NotIn) => {
                    Plan::Compare(only.op, boxed(&compare.expr)?, boxed(&only.expr)?)
                }
                _ => return None,
            },
            _ => return None,
        })
    }

    /// The value, or `None` when the machine must decide.
    pub(super) fn eval(&self, scope: &Scope, slot: &str) -> Option<Value> {
        if let Plan::Random { alphabet, count } = self {
            return Some(Value::from(functions::random(scope.draws(), slot, 0, alphabet, *count)));
        }
        self.value(scope).map(Found::own)
    }

    fn value<'s>(&'s self, scope: &'s Scope) -> Option<Found<'s>> {
        Some(Found::Made(match self {
            Plan::Random { .. } => return None,
            Plan::Constant(value) => return Some(Found::Kept(value)),
            Plan::Path { root, members } => return path(root, members, scope),
            Plan::Join(left, right) => {
                let (left, right) = (left.value(scope)?, right.value(scope)?);
                let (left, right) = (left.as_str()?, right.as_str()?);
                let mut text = String::with_capacity(left.len() + right.len());
                text.push_str(left);
                text.push_str(right);
                Value::from(text)
            }
            Plan::Add(left, right) => Value::from(whole(left, scope)?.checked_add(whole(right, scope)?)?),
            Plan::Subtract(left, right) => Value::from(whole(left, scope)?.checked_sub(whole(right, scope)?)?),
            Plan::Compare(op, left, right) => {
                let (left, right) = (left.value(scope)?, right.value(scope)?);
                let order = match (left.as_str(), right.as_str()) {
                    (Some(left), Some(right)) => left.cmp(right),
                    _ => exact(&left)?.cmp(&exact(&right)?),
                };
                Value::from(match op {
                    CompareOpKind::Eq => order.is_eq(),
                    CompareOpKind::Ne => order.is_ne(),
                    CompareOpKind::Lt => order.is_lt(),
                    CompareOpKind::Lte => order.is_le(),
                    CompareOpKind::Gt => order.is_gt(),
                    CompareOpKind::Gte => order.is_ge(),
                    CompareOpKind::In | CompareOpKind::NotIn => return None,
                })
            }
            Plan::Not(inner) => Value::from(!defined(inner, scope)?.is_true()),
            Plan::And(left, right) => {
                let left = defined(left, scope)?;
                return if left.is_true() { defined(right, scope) } else { Some(left) };
            }
            Plan::Or(left, right) => {
                let left = defined(left, scope)?;
                return if left.is_true() { Some(left) } else { defined(right, scope) };
            }
        }))
    }
}

/// A value that is there already, or was made. Values are counted, and all threads would count those that are there.
enum Found<'s> {
    Kept(&'s Value),
    Made(Value),
}

impl Found<'_> {
    fn own(self) -> Value {
        match self {
            Found::Kept(value) => value.clone(),
            Found::Made(value) => value,
        }
    }
}

impl Deref for Found<'_> {
    type Target = Value;

    fn deref(&self) -> &Value {
        match self {
            Found::Kept(value) => value,
            Found::Made(value) => value,
        }
    }
}

fn path<'s>(root: &str, members: &[String], scope: &'s Scope) -> Option<Found<'s>> {
    let mut value = match scope.get(root) {
        Some(value) => Found::Kept(&value.0),
        None => Found::Made(scope.lookup(root)?.0),
    };
    for member in members {
        // What has no member is for the machine to say.
        let found = value.downcast_object_ref::<Members>()?;
        value = Found::Made(found.get(member).unwrap_or(Value::UNDEFINED));
    }
    Some(value)
}

fn defined<'s>(plan: &'s Plan, scope: &'s Scope) -> Option<Found<'s>> {
    plan.value(scope).filter(|value| !value.is_undefined())
}

/// A whole number, and nothing that merely can be read as one.
fn exact(value: &Value) -> Option<i64> {
    if value.is_integer() { value.as_i64() } else { None }
}

fn whole(plan: &Plan, scope: &Scope) -> Option<i64> {
    exact(&*plan.value(scope)?)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::{Draws, Sources, Value as Outer};
    use super::*;

    /// Every plan against the machine, over values of every kind in every place.
    #[test]
    fn a_plan_gives_what_the_machine_gives() {
        let json = serde_json::json!({ "s": "abc", "t": "abd", "i": 7, "j": -2, "f": 1.5, "y": true, "n": false, "z": null, "e": "" });
        let mut scope = Scope::new(Draws::default());
        scope.bind("a", Outer::source(Arc::new(Arc::new(json.clone()))));
        scope.bind("now", Outer::integer(1_727_802_912_000_000));
        let names: Vec<String> = json
            .as_object()
            .unwrap()
            .keys()
            .map(|key| format!("a.{key}"))
            .chain(["a.none".to_owned(), "'lit'".to_owned(), "3".to_owned(), "days(2)".to_owned(), "now".to_owned()])
            .collect();
        let mut texts: Vec<String> = names.clone();
        for left in &names {
            texts.push(format!("not {left}"));
            for right in &names {
                for op in ["~", "+", "-", "<", "<=", ">", ">=", "==", "!=", "and", "or"] {
                    texts.push(format!("{left} {op} {right}"));
                }
            }
        }
        texts.extend(["random_hex(64)", "random_digits(9)", "random_alphanumeric(40)"].map(str::to_owned));
        let mut planned = 0;
        for text in &texts {
            let expr = minijinja::machinery::parse_expr(text).unwrap();
            let Some(plan) = Plan::whole(&expr) else { panic!("{text} has no plan") };
            let mut sources = Sources::default();
            let id = sources.expression(text);
            let program = sources.build(Arc::default()).unwrap();
            let machine = program.machine(id, &scope, "slot");
            if let Some(value) = plan.eval(&scope, "slot") {
                planned += 1;
                let machine = machine.unwrap_or_else(|fault| panic!("{text}: the machine refuses: {fault}"));
                assert_eq!(value.is_undefined(), machine.is_undefined(), "{text}");
                assert_eq!(Outer(value).to_json(), machine.to_json(), "{text}");
            }
        }
        assert!(planned > texts.len() / 4, "{planned} of {}", texts.len());
    }
}
