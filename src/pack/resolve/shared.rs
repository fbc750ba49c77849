//! Shapes that stand in `pack.yaml` under a name, for answers and webhooks that show the same.

use super::Resolver;
use crate::diagnostic::{Code, Diagnostic, nearest};
use crate::pack::source::{Manifest, ReplySource};

impl Resolver<'_> {
    /// Remembers what the shapes are, and gives them to the errors that name them.
    pub(super) fn shared_shapes(&mut self, manifest: &mut Manifest) {
        self.shapes.clone_from(&manifest.shapes);
        for error in &mut manifest.errors {
            error.cases.iter_mut().for_each(|case| self.shape_of(case));
        }
    }

    /// Puts what the named shape shows in the place of its name. The name stays where there is no such shape.
    pub(super) fn shape_of(&mut self, source: &mut ReplySource) {
        let Some(name) = &source.shape else { return };
        let known: Vec<String> = self.shapes.iter().map(|(key, _)| key.name.clone()).collect();
        let found = self.lookup("shape", name, &known);
        // What was probably meant is not unused.
        let meant = found.or_else(|| {
            let meant = nearest(&name.value, known.iter().map(String::as_str))?;
            known.iter().position(|shape| *shape == meant)
        });
        self.used_shapes.extend(meant);
        let others = [
            ("like", source.like.is_some()),
            ("show", source.whole.is_some() || !source.show.is_empty()),
            ("static", source.fixed.is_some()),
            ("page", source.page.is_some()),
        ];
        if let Some((other, _)) = others.iter().find(|(_, given)| *given) {
            let message = format!("`shape` names all that this {} shows, so that it has no `{other}`", source.noun);
            let diagnostic = Diagnostic::error(Code::ValueWrong, name.at.clone(), message);
            self.report(diagnostic.help("leave out one of the two"));
            return;
        }
        if let Some(shape) = found.and_then(|found| self.shapes[found].1.clone()) {
            source.shape = None;
            (source.like, source.whole, source.show) = (shape.like, shape.whole, shape.show);
        }
    }
}
