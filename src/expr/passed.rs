//! Values that an expression hands on as they came.

use minijinja::machinery::ast::Expr;
use minijinja::machinery::parse_expr;

/// What a value goes through and still means the same record.
const HARMLESS: [&str; 6] = ["default", "int", "lower", "string", "trim", "upper"];

/// The member of `of` whose value an expression gives, if there is one such: `uuid` of `input.uuid|lower`. Where a
/// condition chooses, one of its sides may be something else.
pub(crate) fn passed_on(text: &str, of: &str) -> Option<String> {
    member(&parse_expr(text).ok()?, of).map(str::to_owned)
}

fn member<'e>(expr: &Expr<'e>, of: &str) -> Option<&'e str> {
    match expr {
        Expr::GetAttr(attr) => match &attr.expr {
            Expr::Var(var) if var.id == of => Some(attr.name),
            _ => None,
        },
        Expr::Filter(filter) if HARMLESS.contains(&filter.name) => member(filter.expr.as_ref()?, of),
        Expr::IfExpr(choice) => {
            let (left, right) = (member(&choice.true_expr, of), choice.false_expr.as_ref().and_then(|e| member(e, of)));
            match (left, right) {
                (Some(left), Some(right)) if left != right => None,
                (left, right) => left.or(right),
            }
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_handed_on_is_known_by_its_name() {
        let known = |text| passed_on(text, "input");
        for text in [
            "input.id",
            "input.id|lower",
            "input.id|default(\"\")|lower",
            "item.owner if item else input.id|default(\"\")",
            "input.id if input.id is defined else input.id|upper",
        ] {
            assert_eq!(known(text).as_deref(), Some("id"), "{text}");
        }
        for text in
            ["input.a ~ input.b", "\"x-\" ~ input.id", "input.a if x else input.b", "body.id", "input.id|md5", "1 +"]
        {
            assert_eq!(known(text), None, "{text}");
        }
    }
}
