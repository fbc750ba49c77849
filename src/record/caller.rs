//! Who makes a call: known credentials by their labels, and where a call would have one that the request has not.

use http::HeaderName;

use super::step::Step;
use super::yaml::Yaml;
use crate::exchange::Request;
use crate::pack::{Credential, CredentialPlace, Operation, Pack, SchemeId};

/// The credentials of a request.
#[derive(Debug, Default)]
pub(super) struct Caller {
    labels: Vec<String>,
    /// Whether a call has them where nothing is said.
    is_usual: bool,
    /// Whether anything stands where credentials do.
    is_somebody: bool,
    /// Where a label says what is sent.
    labelled: Vec<CredentialPlace>,
    /// Where a call would have something by itself, and the request has nothing.
    absent: Vec<CredentialPlace>,
}

impl Caller {
    pub(super) fn of(pack: &Pack, operation: Option<&Operation>, request: &Request) -> Self {
        let needed = operation.map(|operation| operation.auth.needed()).unwrap_or_default();
        let schemes = operation.map(|operation| operation.auth.schemes()).unwrap_or_default();
        let mut caller = Caller { is_usual: true, ..Caller::default() };
        for place in places(pack) {
            let of_place = |scheme: SchemeId| pack.scheme(scheme).place == *place;
            let values = values(request, place);
            caller.is_somebody |= !values.is_empty();
            match labelled(pack, place, &values, &schemes) {
                Some(credential) => {
                    let mut usual = needed
                        .iter()
                        .filter(|scheme| of_place(**scheme))
                        .filter_map(|scheme| pack.credentials.iter().find(|credential| credential.scheme == *scheme));
                    caller.is_usual &= usual.next().is_some_and(|usual| usual.value == credential.value);
                    if !caller.labels.contains(&credential.label) {
                        caller.labels.push(credential.label.clone());
                    }
                    caller.labelled.push(place.clone());
                }
                None if values.is_empty() && needed.iter().any(|scheme| of_place(*scheme)) => {
                    caller.absent.push(place.clone());
                }
                None => {}
            }
        }
        caller
    }

    /// Says who calls, unless it is the one who calls where nothing is said.
    pub(super) fn tell(&mut self, step: &mut Step) {
        let mut labels: Vec<Yaml> = self.labels.iter().map(Yaml::word).collect();
        let told = match labels.len() {
            0 if !self.absent.is_empty() && !self.is_somebody => Yaml::Null,
            0 => return,
            _ if self.is_usual => return,
            1 => labels.remove(0),
            _ => Yaml::List(labels),
        };
        step.say("as", told);
        // Who is named is all that calls.
        self.absent.clear();
    }

    pub(super) fn says_header(&self, name: &HeaderName) -> bool {
        self.labelled.iter().any(|place| matches!(place, CredentialPlace::Header(known) if known == name))
    }

    pub(super) fn says_query(&self, name: &str) -> bool {
        self.labelled.iter().any(|place| matches!(place, CredentialPlace::Query(known) if *known == *name))
    }

    pub(super) fn absent_headers(&self) -> impl Iterator<Item = &HeaderName> {
        self.absent.iter().filter_map(|place| match place {
            CredentialPlace::Header(name) => Some(name),
            CredentialPlace::Query(_) => None,
        })
    }

    pub(super) fn absent_query(&self) -> impl Iterator<Item = &str> {
        self.absent.iter().filter_map(|place| match place {
            CredentialPlace::Query(name) => Some(name.as_str()),
            CredentialPlace::Header(_) => None,
        })
    }
}

/// Where credentials of a pack stand, each place once.
fn places(pack: &Pack) -> Vec<&CredentialPlace> {
    let mut places: Vec<&CredentialPlace> = Vec::new();
    for scheme in &pack.schemes {
        if !places.contains(&&scheme.place) {
            places.push(&scheme.place);
        }
    }
    places
}

fn values(request: &Request, place: &CredentialPlace) -> Vec<String> {
    match place {
        CredentialPlace::Header(name) => {
            let values = request.headers.get_all(name).iter();
            values.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned()).collect()
        }
        CredentialPlace::Query(name) => {
            let query = request.query.as_deref().unwrap_or_default();
            let pairs = form_urlencoded::parse(query.as_bytes()).filter(|(key, _)| **key == **name);
            pairs.map(|(_, value)| value.into_owned()).collect()
        }
    }
}

/// The known credential that stands at a place alone, if its label means it and no other there. `schemes` are those of the
/// operation, which count before others.
fn labelled<'p>(
    pack: &'p Pack,
    place: &CredentialPlace,
    values: &[String],
    schemes: &[SchemeId],
) -> Option<&'p Credential> {
    let [value] = values else { return None };
    let fits = |known: &&Credential| pack.scheme(known.scheme).place == *place && known.value == *value;
    let wanted = |known: &&Credential| schemes.contains(&known.scheme);
    let found = pack.credentials.iter().filter(fits).find(wanted).or_else(|| pack.credentials.iter().find(fits))?;
    let same: Vec<&Credential> = pack.credentials.iter().filter(|other| other.label == found.label).collect();
    let meant = same.iter().filter(|other| wanted(other)).count();
    (same.len() == 1 || (meant == 1 && wanted(&found))).then_some(found)
}
