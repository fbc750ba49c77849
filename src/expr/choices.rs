//! Members of which all values are known, compared with a value that they never have.

use minijinja::machinery::ast::Expr;

use super::check::{Checker, bytes, constant_kind};
use super::{Kind, Names};
use crate::diagnostic::{Code, all_of, nearest};
use crate::exchange::spelled;

impl Checker<'_> {
    /// Two sides of `==` or `!=`.
    pub(super) fn equal(&mut self, left: &Expr<'_>, right: &Expr<'_>, names: &Names) {
        self.chosen(left, right, names);
        self.chosen(right, left, names);
    }

    /// A member that has one of a few values, and a text or number, or a list of them, that is none:
    /// `options.mode == "fats"`.
    pub(super) fn chosen(&mut self, member: &Expr<'_>, other: &Expr<'_>, names: &Names) {
        let Expr::GetAttr(attr) = member else { return };
        let Expr::Var(var) = &attr.expr else { return };
        let Some(Kind::Object(object)) = names.get(var.id) else { return };
        let Some((_, values)) = object.choices.iter().find(|(name, _)| name == attr.name) else { return };
        let values: Vec<String> = values.iter().map(spelled).collect();
        let items = match other {
            Expr::List(list) => list.items.iter().collect(),
            other => vec![other],
        };
        for item in items {
            let Expr::Const(constant) = item else { continue };
            let word = match constant_kind(&constant.value) {
                Kind::String | Kind::Integer => constant.value.to_string(),
                _ => continue,
            };
            if !values.contains(&word) {
                let message = format!("`{}.{}` is never `{word}`", var.id, attr.name);
                let known = || values.iter().map(String::as_str);
                let (suggestion, help) = (nearest(&word, known()), format!("its values are {}", all_of(known())));
                self.fault(Code::ExprKinds, bytes(constant.span()), message, suggestion, Some(help));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use crate::expr::{Kind, Names, ObjectKind, check};

    #[test]
    fn what_has_a_few_values_is_never_another() {
        let object = ObjectKind {
            what: "the options".to_owned(),
            resource: None,
            fields: vec![("mode".to_owned(), Kind::String), ("code".to_owned(), Kind::Integer)],
            rest: None,
            choices: vec![
                ("mode".to_owned(), vec!["slow".into(), "fast".into()]),
                ("code".to_owned(), vec![404.into(), 410.into()]),
            ],
        };
        let mut names = Names::default();
        names.bind("options", Kind::Object(Arc::new(object)));
        let faults = |text: &str| {
            check(text, &names).1.into_iter().map(|fault| text[fault.range].to_owned()).collect::<Vec<_>>()
        };
        let none: Vec<String> = Vec::new();
        for text in ["options.mode == 'slow'", "options.mode in ['slow', 'fast']", "'low' in options.mode"] {
            assert_eq!(faults(text), none, "{text}");
        }
        assert_eq!(faults("options.code < 405 and options.code != 404 + 1"), none);
        assert_eq!(faults("options.mode == 'fats'"), ["'fats'"]);
        assert_eq!(faults("'fats' != options.mode or options.code == 401"), ["'fats'", "401"]);
        assert_eq!(faults("options.mode not in ['slow', 'quick']"), ["'quick'"]);
    }
}
