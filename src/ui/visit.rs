use http::StatusCode;
use serde_json::{Value as Json, json};

use super::Parameters;
use super::form::Form;
use super::plane::Plane;
use super::refused::Refused;
use crate::exchange::{Problem, Request, apart};
use crate::expr::Pages;

/// Takes the records out of a list of the control plane.
pub(super) fn records(list: &mut Json) -> Vec<Json> {
    list["records"].as_array_mut().map(std::mem::take).unwrap_or_default()
}

/// One look at a page, or one form that was sent.
pub(super) struct Visit<'a> {
    pub(super) plane: Plane<'a>,
    pub(super) pages: &'a Pages,
    pub(super) request: &'a Request,
    /// What stands in the path where its row has a name, decoded.
    pub(super) parameters: Parameters,
    /// The last entry of the log before anything was looked at: a page that goes on from it misses nothing. None where
    /// nothing was to be looked at.
    pub(super) seen: Option<u64>,
}

impl Visit<'_> {
    /// A parameter of the path.
    pub(super) fn parameter(&self, name: &str) -> &str {
        self.parameters.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }

    /// The last value of a parameter in the query, where it is not empty: forms send fields that nobody filled in.
    pub(super) fn query(&self, name: &str) -> Option<String> {
        let query = self.request.query.as_deref()?;
        let said = form_urlencoded::parse(query.as_bytes()).filter(|(key, _)| key == name).last();
        said.map(|(_, value)| value.trim().to_owned()).filter(|value| !value.is_empty())
    }

    pub(super) fn form(&self) -> Result<Form, Refused> {
        Form::read(self.request)
    }

    /// Where the addresses of this sandbox begin: `/~checkout`, or nothing.
    pub(super) fn prefix(&self) -> &str {
        apart(self.plane.base()).1
    }

    /// Where the dashboard of this sandbox begins.
    pub(super) fn root(&self) -> String {
        format!("{}/_standin/ui", self.prefix())
    }

    /// Where addresses of any sandbox begin: a host that names a sandbox cannot lead to others.
    pub(super) fn origin(&self) -> String {
        let base = self.plane.base();
        let (scheme, rest) = base.split_once("://").unwrap_or(("http", base));
        let authority = rest.split('/').next().unwrap_or_default();
        let name = authority.trim_end_matches(|character: char| character.is_ascii_digit()).trim_end_matches(':');
        match name.trim_end_matches('.').ends_with(".localhost") {
            true => format!("{scheme}://localhost{}", &authority[name.len()..]),
            false => format!("{scheme}://{authority}"),
        }
    }

    /// How far the log is: the number of its last entry, 0 where there is none.
    pub(super) async fn last(&self) -> u64 {
        let last = self.plane.get("/log?format=lines&order=newest&limit=1").await.unwrap_or_default();
        last["records"][0]["entry"].as_u64().unwrap_or(0)
    }

    /// Whether a part of a page is asked for, by the script of a page that is there already.
    pub(super) fn is_part(&self) -> bool {
        self.request.header("hx-request") == Some("true")
    }

    /// Forms change things, so they must come from a page of this server. The server has refused any other origin that
    /// was named; every browser names it.
    pub(super) fn may_change(&self, method: &str) -> Result<(), Refused> {
        if method == "GET" || self.request.headers.contains_key(http::header::ORIGIN) {
            return Ok(());
        }
        let detail = "A form comes from a page, and a browser says of which: this request has no `Origin`. Programs call \
                      the control plane itself.";
        let title = "The origin is not said";
        Err(Problem::new("origin-missing", StatusCode::FORBIDDEN, title, detail).into())
    }

    /// What every page has around it.
    pub(super) async fn frame(&self) -> Json {
        let seen = match self.seen {
            Some(seen) => seen,
            None => self.last().await,
        };
        // A sandbox that is closed meanwhile, say, must not keep the page from saying so.
        let index = self.plane.get("/").await.unwrap_or_default();
        let sandboxes = self.plane.get("/sandboxes?limit=200").await.unwrap_or_default();
        let reload = self.plane.get("/reload").await.unwrap_or_default();
        let broken = |pack: &&Json| pack["state"] != json!("live");
        let broken: Vec<&Json> = reload["packs"].as_array().into_iter().flatten().filter(broken).collect();
        json!({
            "root": self.root(),
            "prefix": self.prefix(),
            "origin": self.origin(),
            "path": self.request.path,
            "query": self.request.query,
            "sandbox": self.plane.sandbox(),
            "version": index["version"],
            "run": index["run"],
            "seen": seen,
            "packs": index["packs"],
            "sandboxes": sandboxes["records"],
            "clock": self.plane.get("/clock").await.unwrap_or_default(),
            "broken": broken,
            "guarded": self.plane.is_guarded(),
            "note": self.query("done"),
        })
    }
}
