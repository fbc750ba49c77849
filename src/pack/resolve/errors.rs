//! The API's errors by name, each with its cases.

use super::Resolver;
use crate::diagnostic::{Code, Diagnostic, Location};
use crate::expr::Names;
use crate::pack::source::{ErrorSource, Manifest, ReplySource, Spanned};
use crate::pack::{ErrorId, NamedError, Reply};

impl Resolver<'_> {
    pub(super) fn errors(&mut self, manifest: &Manifest) -> Vec<NamedError> {
        let names = self.error_names_scope(manifest);
        // A fault strikes before anything is known of the request but its first line.
        let fault_names = self.common_names().without(&["path", "query", "headers", "body", "records"]);
        let mut errors = Vec::new();
        for source in &manifest.errors {
            let names = if source.fault().is_some() { &fault_names } else { &names };
            errors.push(self.named_error(source, names));
        }
        errors
    }

    fn named_error(&mut self, source: &ErrorSource, names: &Names) -> NamedError {
        let cases = source.cases.iter();
        let replies = cases.filter_map(|case| self.error_case(source, case, names)).collect();
        // Which case is the last is not known otherwise.
        if source.cases.len() > 1 && source.complete {
            self.check_cases(&source.cases);
        }
        if let (Some(fault), Some(other)) = (source.fault(), source.cases.iter().find(|case| case.fault.is_none())) {
            let start = Location::new(other.at.file, other.at.range.start..other.at.range.start);
            let message =
                format!("only a fault gives another case of `{}`, and something else this one", source.name.name);
            let diagnostic = Diagnostic::error(Code::KeyMissing, start, message).related(fault.clone(), "said here");
            self.report(diagnostic.help("write `fault: true` in every case or in none, or make two errors"));
        }
        let fault = source.fault().is_some();
        NamedError { name: source.name.name.as_str().into(), replies, fault }
    }

    fn error_case(&mut self, source: &ErrorSource, case: &ReplySource, names: &Names) -> Option<Reply> {
        let only = source.cases.len() == 1 && source.complete;
        if let (Some(when), true) = (&case.when, only) {
            let message = "an error of one case has no `when`: what gives it decides";
            let help = "make it a list of cases, of which the last has no `when`; or make two errors, and let guards, rows of `violations` or schemes choose between them";
            self.report(Diagnostic::error(Code::ValueWrong, when.at.clone(), message).help(help));
        }
        let alone = ReplySource { when: None, ..case.clone() };
        let reply = self.reply(if only { &alone } else { case }, names, "", None)?;
        if !reply.status.is_client_error() && !reply.status.is_server_error() {
            self.error(Code::ValueWrong, &reply.at, "an error has a status from 400 to 599");
        }
        Some(reply)
    }

    /// An error that only faults give, and what is like one: a limit strikes before more is known of a request, too.
    pub(super) fn fault_named(&mut self, name: &Spanned<String>) -> Option<ErrorId> {
        let known = self.error_names.clone();
        let found = self.lookup("error", name, &known).map(ErrorId);
        if found.is_some() && !self.faults.contains_key(&name.value) {
            let message = format!("`{}` is no error that only faults give", name.value);
            let help = "no replay of the pack goes beyond a limit: write `fault: true` in the error, or name another";
            self.report(Diagnostic::error(Code::ValueWrong, name.at.clone(), message).help(help));
        }
        found
    }

    /// Nothing but a fault gives an error that says so.
    pub(super) fn check_not_a_fault(&mut self, name: &Spanned<String>) {
        let Some(at) = self.faults.get(&name.value) else { return };
        let message = format!("`{}` is given by faults only", name.value);
        let diagnostic = Diagnostic::error(Code::ValueWrong, name.at.clone(), message).related(at.clone(), "said here");
        self.report(diagnostic.help("name another error here, or take `fault` out of this one"));
    }
}
