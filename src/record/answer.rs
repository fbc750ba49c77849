//! What came back of a request, as what is expected of it.

use std::borrow::Cow;

use http::{Method, StatusCode, header};
use serde_json::Value as Json;

use super::call::DEEPEST;
use super::known::{As, Side};
use super::step::Step;
use super::tell::Teller;
use super::yaml::Yaml;
use crate::exchange::{Manner, child, parse_json};
use crate::journal::Exchanged;
use crate::mask::{MASK, Mask};

/// The longest text of an answer that is expected as a whole, and the longest line of one that is looked for.
const MOST_WHOLE: usize = 200;
const MOST_LINE: usize = 100;

impl Teller<'_> {
    pub(super) fn answer(&mut self, entry: u64, exchanged: &Exchanged, step: &mut Step) {
        let manner = exchanged.delivery.as_ref().map(|delivery| &delivery.manner);
        let body = &exchanged.response.body;
        let fault = manner.and_then(Manner::fault);
        let is_short = matches!(manner, Some(Manner::Truncated)) && body.is_empty();
        if let Some(fault) = fault.filter(|_| !is_short) {
            step.wants("fault", Yaml::word(fault));
            return;
        }
        let status = exchanged.response.status;
        step.wants("status", Yaml::Number(status.as_u16().into()));
        if exchanged.request.method == Method::HEAD || body.is_empty() || status == StatusCode::NO_CONTENT {
            return;
        }
        let mask = self.mask(exchanged);
        let media = exchanged.response.headers.get(&header::CONTENT_TYPE);
        let media = media.and_then(|value| value.to_str().ok()).unwrap_or_default();
        match parse_json(body, DEEPEST) {
            // Problems are told in words, which may get better.
            Ok(problem) if media.starts_with("application/problem+json") => {
                if let Some(kind) = problem.get("type").filter(|kind| kind.is_string()) {
                    step.wants("body", Yaml::Map(vec![("/type".to_owned(), Yaml::of(kind))]));
                }
            }
            Ok(json) if media.contains("json") => {
                let mut except = Vec::new();
                let value = self.shown(&json, "", &mask, step, &mut except);
                step.wants("equals", value);
                if !except.is_empty() {
                    step.wants("except", Yaml::List(except.into_iter().map(Yaml::word).collect()));
                }
            }
            _ => self.words(entry, body, &mask, step),
        }
    }

    /// What an answer shows, without secrets: where one stands that nobody uses, the pointer is excepted.
    fn shown(&mut self, value: &Json, pointer: &str, mask: &Mask, step: &mut Step, except: &mut Vec<String>) -> Yaml {
        let entry = step.entry;
        match value {
            Json::Object(object) => {
                let mut members = Vec::new();
                for (name, value) in object {
                    let pointer = child(pointer, name);
                    let is_secret = mask.member(name) && !value.is_null();
                    let value = match is_secret {
                        true => self.secret(value, &pointer, entry, except),
                        false => self.shown(value, &pointer, mask, step, except),
                    };
                    members.push((name.clone(), value));
                }
                Yaml::Map(members)
            }
            Json::Array(items) => {
                let items = items.iter().enumerate();
                let shown = items
                    .map(|(index, item)| self.shown(item, &child(pointer, &index.to_string()), mask, step, except));
                Yaml::List(shown.collect())
            }
            Json::String(text) => {
                if self.has_kept_of(entry, text) {
                    except.push(pointer.to_owned());
                    return match mask.text(text) {
                        Cow::Borrowed(_) => Yaml::Text(text.clone()),
                        Cow::Owned(shown) => Yaml::Text(shown),
                    };
                }
                let written = self.known.text(text, entry, Side::Shown, As::Json);
                let left = match &written {
                    Yaml::Text(text) | Yaml::Word(text) => mask.text(text).into_owned(),
                    _ => String::new(),
                };
                match &written {
                    Yaml::Text(text) | Yaml::Word(text) if *text != left => {
                        except.push(pointer.to_owned());
                        Yaml::Text(mask.text(text).into_owned())
                    }
                    _ => written,
                }
            }
            Json::Number(number) => {
                if self.is_kept_of(entry, &number.to_string()) {
                    except.push(pointer.to_owned());
                    return Yaml::Number(number.clone());
                }
                self.known.number(number, entry, Side::Shown)
            }
            other => Yaml::of(other),
        }
    }

    /// A value that must not be read: known by its name, or excepted.
    fn secret(&mut self, value: &Json, pointer: &str, entry: u64, except: &mut Vec<String>) -> Yaml {
        match value {
            Json::Object(object) => Yaml::Map(
                object
                    .iter()
                    .map(|(name, value)| (name.clone(), self.secret(value, &child(pointer, name), entry, except)))
                    .collect(),
            ),
            Json::Array(items) => {
                let items = items.iter().enumerate();
                let hidden =
                    items.map(|(index, item)| self.secret(item, &child(pointer, &index.to_string()), entry, except));
                Yaml::List(hidden.collect())
            }
            Json::String(text) => {
                if !self.is_kept_of(entry, text)
                    && let Yaml::Word(name) = self.known.text(text, entry, Side::Shown, As::Json)
                {
                    return Yaml::Word(name);
                }
                except.push(pointer.to_owned());
                Yaml::word(MASK)
            }
            Json::Number(_) => {
                except.push(pointer.to_owned());
                Yaml::Number(0.into())
            }
            other => Yaml::of(other),
        }
    }

    /// Whether a text has something in it that the same answer is the first to give.
    fn has_kept_of(&self, entry: u64, text: &str) -> bool {
        self.known.kept(entry).iter().any(|(kept, _, _)| text.contains(kept))
    }

    fn is_kept_of(&self, entry: u64, text: &str) -> bool {
        self.known.kept(entry).iter().any(|(kept, _, _)| *kept == text)
    }

    /// What a text says that is no JSON: all of it where it is short, else a line by which it is known.
    fn words(&mut self, entry: u64, body: &[u8], mask: &Mask, step: &mut Step) {
        let Ok(text) = std::str::from_utf8(body) else { return };
        let mut plain = |text: &str| {
            let hidden = mask.text(text);
            let written = self.known.text(text, entry, Side::Shown, As::Json);
            (hidden == text).then_some(written)
        };
        if text.len() <= MOST_WHOLE
            && let Some(written) = plain(text)
        {
            step.wants("text", written);
            return;
        }
        let title = ["title", "h1"].into_iter().find_map(|name| {
            let (_, rest) = text.split_once(&format!("<{name}>"))?;
            Some(rest.split_once("</")?.0.trim())
        });
        let lines = title.into_iter().chain(text.lines().map(str::trim));
        let found = lines
            .filter(|line| (4..=MOST_LINE).contains(&line.len()) && !line.starts_with("<!"))
            .find_map(|line| plain(line).filter(|written| matches!(written, Yaml::Text(_))));
        if let Some(line) = found {
            step.wants("contains", line);
        }
    }

    /// What must not be read of an exchange.
    pub(super) fn mask(&self, exchanged: &Exchanged) -> Mask {
        let faces = self.faces(exchanged);
        Mask::of_exchange(&faces, &exchanged.request, &exchanged.response, &exchanged.changes)
    }
}
