//! One shape of several, chosen per item.

use super::Resolver;
use super::plan::{At, Plan, Shown};
use super::shapes::{Context, patterns};
use crate::diagnostic::Code;
use crate::expr::{Kind, Names};
use crate::pack::Shape;
use crate::pack::source::{ArmSource, ChoiceSource, Key, Template};

const AS_THEY_ARE: &str = "fields are shown as they are here: only an example has keys to show something else in";

impl Resolver<'_> {
    pub(super) fn choice(
        &mut self,
        plan: &Plan<'_>,
        choice: &ChoiceSource,
        shows: &[(Key, Template)],
        context: Context,
        names: &Names,
    ) -> Option<Shape> {
        let before = self.diagnostics.len();
        let mut used = vec![false; shows.len()];
        let otherwise = choice.otherwise.as_ref().map(|arm| self.arm(plan, arm, shows, &mut used, context, names));
        let Some(by) = &choice.by else {
            let whole = match &choice.otherwise {
                Some(ArmSource::Like { like, .. }) => like.value == "fields",
                Some(ArmSource::Except(_)) => true,
                _ => false,
            };
            if let (Some((key, _)), true) = (shows.first(), whole) {
                self.error(Code::ShapeTarget, &key.at, AS_THEY_ARE);
            }
            return otherwise.flatten();
        };
        let by = self.expression(by, names);
        let mut arms = Vec::new();
        for (key, arm) in &choice.arms {
            arms.push((key.name.clone(), self.arm(plan, arm, shows, &mut used, context, names)));
        }
        let unused =
            shows.iter().zip(used).filter(|(_, used)| !used).map(|((key, template), _)| Shown::new(key, template));
        self.unused_in_choice(unused.collect(), choice, plan.folder, before);
        let otherwise = match otherwise {
            Some(shape) => Some(Box::new(shape?)),
            None => None,
        };
        let arms: Option<Vec<_>> = arms.into_iter().map(|(name, shape)| Some((name, shape?))).collect();
        Some(Shape::Choice { by: by?.0, arms: arms?, otherwise })
    }

    /// Like [`Resolver::unused`], of what is shown in all shapes of a choice.
    fn unused_in_choice(&mut self, unused: Vec<Shown<'_>>, choice: &ChoiceSource, folder: &str, before: usize) {
        if self.diagnostics[before..].iter().any(|diagnostic| diagnostic.code != Code::ShapeUnfilled) {
            return;
        }
        let mut known = Vec::new();
        for arm in choice.arms.iter().map(|(_, arm)| arm).chain(&choice.otherwise) {
            if let ArmSource::Like { like, .. } = arm
                && like.value != "fields"
                && let Some((_, _, example)) = self.part(like, folder)
            {
                patterns(&example, "", &mut known);
            }
        }
        for shown in unused {
            self.nowhere("no example of the choice has", &shown, &known, before);
        }
    }

    /// Every field but those that an expression names.
    fn except(&mut self, template: &Template, context: Context, names: &Names) -> Option<Shape> {
        let (except, kind) = self.expression(template, names)?;
        let texts = match &kind {
            Kind::Any => true,
            Kind::List(item) => matches!(**item, Kind::Any | Kind::String),
            _ => false,
        };
        if !texts {
            let what = match &kind {
                Kind::List(item) => format!("a list of which an item is {item}"),
                kind => kind.to_string(),
            };
            let message = format!("`except` is a list of names of fields, not {what}");
            self.error(Code::ExprKinds, &template.at(), message);
            return None;
        }
        if !matches!(context, Context::Record(_)) {
            self.error(
                Code::ExprKinds,
                &template.at(),
                "`except` leaves out fields of a record, and there is none here",
            );
            return None;
        }
        Some(Shape::Except(except))
    }

    /// One shape of a choice: `fields`, or an example. Of what is shown in all arms, each takes what its example has and
    /// does not show itself, and marks it as used.
    fn arm(
        &mut self,
        plan: &Plan<'_>,
        arm: &ArmSource,
        shows: &[(Key, Template)],
        used: &mut [bool],
        context: Context,
        names: &Names,
    ) -> Option<Shape> {
        let (like, show) = match arm {
            ArmSource::Like { like, show } => (like, show),
            ArmSource::Show(template) => return self.value(template, names, plan.folder),
            ArmSource::Except(template) => return self.except(template, context, names),
        };
        if like.value == "fields" {
            if let Some((key, _)) = show.first() {
                self.error(Code::ShapeTarget, &key.at, AS_THEY_ARE);
            }
            return Some(Shape::Fields);
        }
        let (path, actual, example) = self.part(like, plan.folder)?;
        let shows: Vec<_> = show.iter().chain(shows).cloned().collect();
        let mut inner = Plan::new(path, &shows, plan.folder, plan.ignore_case);
        let before = self.diagnostics.len();
        let shape = self.node(&mut inner, &example, &At { pattern: Vec::new(), actual }, context, names);
        for (used, shown) in used.iter_mut().zip(&inner.shows[show.len()..]) {
            *used |= shown.used;
        }
        inner.shows.truncate(show.len());
        self.unused(&inner, &example, before);
        shape
    }
}
