use std::collections::BTreeSet;
use std::sync::Arc;

use http::HeaderValue;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde_json::{Value as Json, json};

use super::{Read, Watch};
use crate::clock::Instant;
use crate::diagnostic::{Code, Diagnostic, Severity, SourceMap, to_json};
use crate::pack::{Files, Folders, Pack};

/// What a path in a header cannot have, or would be taken for more than a path with.
const NOT_IN_HEADERS: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'%').add(b',').add(b';').add(b'\\');

/// What is known of one pack and its files.
#[derive(Debug, Clone)]
pub(super) struct Status {
    pub(super) name: String,
    /// Its number among the packs that are served; none for one that never was good.
    pub(super) number: Option<usize>,
    /// The digest of the files that are served, and of those that were last read: none where the folder is gone.
    pub(super) served: Option<String>,
    pub(super) tried: Option<String>,
    /// Whether it has, or had, a folder.
    pub(super) on_disk: bool,
    /// When it came to stand as it does, in real time; none for as it was at the start.
    pub(super) at: Option<Instant>,
    /// What was another in the files that are served than in those before.
    pub(super) files: Vec<String>,
    seeds: bool,
    /// Of the files that were last read, and of those that are served.
    diagnostics: Json,
    served_diagnostics: Json,
    fault: Option<Fault>,
}

/// Why a pack's files are not what is served.
#[derive(Debug, Clone)]
struct Fault {
    word: &'static str,
    /// The place of what is most likely the cause.
    at: String,
}

/// Whether it is a mistake by itself, and never for want of something that another file should have.
fn is_cause(code: Code) -> bool {
    matches!(
        code,
        Code::FileUnreadable
            | Code::YamlSyntax
            | Code::YamlFeature
            | Code::JsonSyntax
            | Code::KeyUnknown
            | Code::KeyDuplicate
    )
}

/// How a pack stands.
pub(crate) struct Standing {
    pub(crate) name: String,
    /// `live`, `failed` or `gone`.
    pub(crate) state: &'static str,
    /// Whether there is one to serve.
    pub(crate) served: bool,
    pub(crate) on_disk: bool,
    pub(crate) at: Option<Instant>,
    /// The place of what is most likely the cause.
    pub(crate) place: Option<String>,
    /// Of the files that are served.
    pub(crate) digest: Option<String>,
    pub(crate) files: Vec<String>,
    pub(crate) seeds: bool,
    pub(crate) diagnostics: Json,
}

/// What the last look found.
pub(crate) struct Shown {
    pub(crate) watch: Watch,
    /// When something was last found to be another, in real time, and how many real milliseconds it took.
    pub(crate) last: Option<(Instant, i64)>,
    pub(crate) trouble: Option<String>,
    pub(crate) packs: Vec<Standing>,
}

impl Status {
    /// As it was read when the server started.
    pub(super) fn served(number: usize, read: Read) -> Self {
        let Read { name, print, on_disk, diagnostics } = read;
        Status {
            number: Some(number),
            served: Some(print.clone()),
            tried: Some(print),
            on_disk,
            diagnostics: diagnostics.clone(),
            served_diagnostics: diagnostics,
            ..Status::unknown(name)
        }
    }

    pub(super) fn unknown(name: String) -> Self {
        Status {
            name,
            number: None,
            served: None,
            tried: None,
            on_disk: true,
            at: None,
            files: Vec::new(),
            seeds: false,
            diagnostics: json!([]),
            served_diagnostics: json!([]),
            fault: None,
        }
    }

    /// Whether it had a folder and has none any more.
    pub(super) fn is_gone(&self, found: &[(Files, String)]) -> bool {
        self.on_disk && self.tried.is_some() && found.iter().all(|(files, _)| files.folder != self.name)
    }

    pub(super) fn vanish(&mut self, folders: &Folders) {
        self.tried = None;
        self.diagnostics = json!([]);
        self.fault = Some(Fault { word: "gone", at: self.folder(folders) });
    }

    pub(super) fn mend(&mut self) {
        self.diagnostics = self.served_diagnostics.clone();
        self.fault = None;
    }

    /// `edited` are the files that are others than those of the last good pack.
    pub(super) fn fail(
        &mut self,
        diagnostics: &[Diagnostic],
        sources: &SourceMap,
        edited: &BTreeSet<String>,
        folders: &Folders,
    ) {
        let errors = diagnostics.iter().filter(|one| one.severity == Severity::Error);
        let places = errors.filter_map(|error| Some((error.code, error.location.as_ref()?)));
        let cause = places.min_by_key(|(code, at)| match code {
            _ if is_cause(*code) => 0,
            _ if edited.contains(sources.path(at.file)) => 1,
            _ => 2,
        });
        let at = cause.map(|(_, at)| {
            let (line, column) = sources.line_column(at);
            format!("{}:{line}:{column}", sources.path(at.file))
        });
        self.diagnostics = to_json(diagnostics, sources);
        self.fault = Some(Fault { word: "failed", at: at.unwrap_or_else(|| self.folder(folders)) });
    }

    pub(super) fn serve(&mut self, number: usize, print: &str, files: Vec<String>, seeds: bool, diagnostics: Json) {
        self.number = Some(number);
        self.served = Some(print.to_owned());
        self.files = files;
        self.seeds = seeds;
        self.served_diagnostics = diagnostics;
        self.mend();
    }

    fn folder(&self, folders: &Folders) -> String {
        folders.fixtures.join(&self.name).to_string_lossy().replace('\\', "/")
    }

    /// The value of `Standin-Reload`.
    pub(super) fn note(&self) -> Option<HeaderValue> {
        let Fault { word, at } = self.fault.as_ref()?;
        let at = utf8_percent_encode(at, NOT_IN_HEADERS);
        HeaderValue::from_str(&format!("{word}; at={at}")).ok()
    }

    /// Why its files are not what is served, if they are not.
    pub(super) fn word(&self) -> Option<&'static str> {
        Some(self.fault.as_ref()?.word)
    }

    pub(super) fn standing(&self, packs: &[Arc<Pack>]) -> Standing {
        Standing {
            name: self.name.clone(),
            state: self.fault.as_ref().map_or("live", |fault| fault.word),
            served: self.number.is_some(),
            on_disk: self.on_disk,
            at: self.at,
            place: self.fault.as_ref().map(|fault| fault.at.clone()),
            digest: self.number.and_then(|number| Some(packs.get(number)?.face.digest.clone())),
            files: self.files.clone(),
            seeds: self.seeds,
            diagnostics: self.diagnostics.clone(),
        }
    }
}
