//! Schemes and credentials.

use std::sync::Arc;

use http::HeaderName;

use super::Resolver;
use crate::diagnostic::{Code, Diagnostic, Location, nearest, one_of};
use crate::expr::{Keys, Kind, Names};
use crate::pack::source::{AuthSource, CredentialSource, DecodeSource, Manifest, SchemeSource, Spanned};
use crate::pack::{Auth, Credential, CredentialPlace, Decode, Owner, ResourceId, Scheme, SchemeId};

impl Resolver<'_> {
    pub(super) fn keys(&mut self, manifest: &Manifest) -> Arc<Keys> {
        let mut keys = Keys::default();
        for (name, file) in &manifest.keys {
            let Some(path) = self.find(file, "") else { continue };
            self.used.insert(path.clone());
            let Some(id) = self.fixtures.get(path.as_str()).copied() else { continue };
            if let Err(reason) = keys.add(&name.name, self.sources.text(id)) {
                let message = format!("`{path}` cannot be used to sign: {reason}");
                let help = "`openssl genpkey -algorithm RSA -out <file>` makes one";
                self.report(Diagnostic::error(Code::KeyInvalid, file.at.clone(), message).help(help));
            }
        }
        Arc::new(keys)
    }

    pub(super) fn scheme(&mut self, source: &SchemeSource, manifest: &Manifest) -> Option<Scheme> {
        let place = self.place(source);
        let otherwise = source.otherwise.as_ref().and_then(|error| self.error_named(error));
        let finds = source.finds.as_ref()?;
        let resource = self.resource_named(&finds.resource)?;
        let field = self.field_named(resource, &finds.field)?;
        self.found_by(resource, field);
        let mut decode = Vec::new();
        for step in &source.decode {
            decode.push(match step {
                DecodeSource::Bearer => Decode::Bearer,
                DecodeSource::Basic => Decode::Basic,
                DecodeSource::Jwt(key) => {
                    let known: Vec<String> = manifest.keys.iter().map(|(key, _)| key.name.clone()).collect();
                    self.lookup("key", key, &known)?;
                    Decode::Jwt(key.value.clone())
                }
            });
        }
        let mut names = self.common_names();
        names.bind(
            "credential",
            match decode.last() {
                None | Some(Decode::Bearer) => Kind::String,
                Some(Decode::Basic) => Kind::object(
                    "the credential",
                    vec![("username".to_owned(), Kind::String), ("password".to_owned(), Kind::String)],
                ),
                Some(Decode::Jwt(_)) => Kind::map("the token's claims", Kind::Any),
            },
        );
        let value = match &finds.value {
            Some(value) => Some(self.expression(value, &names)?.0),
            None => None,
        };
        if let Some(name) = &source.bind {
            self.check_reserved(&name.value, &name.at);
        }
        let bind = source.bind.as_ref().map_or(&finds.resource.value, |bind| &bind.value);
        // Schemes that stand before this one may have bound their callers.
        for scheme in &self.schemes {
            for (name, resource) in self.callers(scheme) {
                names.bind(name, self.record_kind(resource));
            }
        }
        if !self.broken_schemes.is_empty() {
            names.open();
        }
        names.bind(bind.clone(), self.record_kind(resource));
        let acts_for = match &source.acts_for {
            Some(owner) => {
                let found = self.acts_for(owner, resource, source.bind.as_ref(), manifest);
                match found {
                    Some(found) => names.bind(owner.value.clone(), self.record_kind(found)),
                    None => names.open(),
                }
                Some(found)
            }
            None => None,
        };
        let require = match &source.require {
            Some(require) => Some(self.expression(require, &names)?.0),
            None => None,
        };
        Some(Scheme {
            name: source.name.name.as_str().into(),
            place: place?,
            decode,
            resource,
            field,
            value,
            // One that cannot be told leaves the scheme broken.
            acts_for: match acts_for {
                Some(found) => Some(found?),
                None => None,
            },
            bind: bind.as_str().into(),
            require,
            otherwise: otherwise?,
            at: source.name.at.clone(),
        })
    }

    /// The owner that callers act for: it must stand somewhere above the record that is found.
    fn acts_for(
        &mut self,
        source: &Spanned<String>,
        found: ResourceId,
        bind: Option<&Spanned<String>>,
        manifest: &Manifest,
    ) -> Option<ResourceId> {
        let owner = self.resource_named(source)?;
        if let Some(bind) = bind.filter(|bind| bind.value == source.value) {
            let message = format!("`{}` is the name of the owner that callers act for", bind.value);
            let diagnostic = Diagnostic::error(Code::NameDuplicate, bind.at.clone(), message)
                .related(source.at.clone(), "the owner")
                .help("give the caller another name");
            self.report(diagnostic);
        }
        let above: Vec<ResourceId> = self.owners(found).into_iter().map(|owner| owner.resource).collect();
        if above.contains(&owner) {
            return Some(owner);
        }
        let name = |resource: &ResourceId| self.resources[resource.0].name.to_string();
        // An owner that could not be read has been told.
        let last = above.last().copied().unwrap_or(found);
        if above.contains(&found)
            || (manifest.resources[last.0].owner.is_some() && self.resources[last.0].owner.is_none())
        {
            return None;
        }
        let names: Vec<String> = above.iter().map(name).collect();
        let found = name(&found);
        let help = if found == source.value {
            "leave it out: without it callers see what belongs to them".to_owned()
        } else if names.is_empty() {
            format!("`{found}` has no `owner`: give it one, or leave `acts-for` out")
        } else {
            format!("callers can act for {}", one_of(names.iter().map(String::as_str)))
        };
        let message = format!("`{found}` has no owner `{}` that it could act for", source.value);
        self.report(Diagnostic::error(Code::ValueWrong, source.at.clone(), message).help(help));
        None
    }

    /// The owners of a resource's records, the nearest first.
    fn owners(&self, resource: ResourceId) -> Vec<Owner> {
        let mut owners: Vec<Owner> = Vec::new();
        let mut next = self.resources[resource.0].owner;
        while let Some(owner) = next.filter(|owner| owners.iter().all(|known| known.resource != owner.resource)) {
            owners.push(owner);
            next = self.resources[owner.resource.0].owner;
        }
        owners
    }

    fn place(&mut self, source: &SchemeSource) -> Option<CredentialPlace> {
        let word = source.place.as_ref()?;
        let name = source.parameter.as_ref();
        match word.value.as_str() {
            "header" => {
                let text = name.map_or("authorization", |name| &name.value);
                match HeaderName::try_from(text) {
                    Ok(header) => Some(CredentialPlace::Header(header)),
                    Err(_) => {
                        let at = name.map_or(&word.at, |name| &name.at).clone();
                        self.error(Code::ValueWrong, &at, format!("`{text}` is not the name of a header"));
                        None
                    }
                }
            }
            "query" => match name {
                Some(name) => Some(CredentialPlace::Query(name.value.clone())),
                None => {
                    self.error(Code::KeyMissing, &source.at, "a scheme in the query needs the `name` of its parameter");
                    None
                }
            },
            _ => {
                let places = ["header", "query"];
                let message = format!("a credential stands in {}", one_of(places));
                let diagnostic = Diagnostic::error(Code::ValueWrong, word.at.clone(), message);
                self.report(diagnostic.suggest(nearest(&word.value, places)));
                None
            }
        }
    }

    pub(super) fn auth(&mut self, source: Option<&AuthSource>) -> Option<Auth> {
        let Some(source) = source else { return Some(Auth::Open) };
        Some(match source {
            AuthSource::Scheme(name) => {
                let scheme = self.scheme_named(name)?;
                self.used_schemes.insert(scheme.0);
                Auth::Scheme(scheme)
            }
            AuthSource::All(parts) | AuthSource::Any(parts) if parts.is_empty() => return None,
            AuthSource::All(parts) => Auth::All(self.auths(parts)?),
            AuthSource::Any(parts) => Auth::Any(self.auths(parts)?),
            AuthSource::Optional(inner) => Auth::Optional(Box::new(self.auth(Some(inner))?)),
        })
    }

    fn auths(&mut self, parts: &[AuthSource]) -> Option<Vec<Auth>> {
        for (index, part) in parts.iter().enumerate() {
            let AuthSource::Scheme(name) = part else { continue };
            let same = |other: &&AuthSource| matches!(other, AuthSource::Scheme(other) if other.value == name.value);
            if let Some(AuthSource::Scheme(twin)) = parts[..index].iter().find(same) {
                let message = format!("the scheme `{}` stands here twice", name.value);
                let diagnostic = Diagnostic::error(Code::NameDuplicate, name.at.clone(), message)
                    .related(twin.at.clone(), "the first")
                    .help("take one out");
                self.report(diagnostic);
            }
        }
        let parts: Vec<_> = parts.iter().map(|part| self.auth(Some(part))).collect();
        parts.into_iter().collect()
    }

    fn scheme_named(&mut self, name: &Spanned<String>) -> Option<SchemeId> {
        if self.broken_schemes.contains(&name.value) {
            return None;
        }
        let known: Vec<String> = self.schemes.iter().map(|scheme| scheme.name.to_string()).collect();
        self.lookup("scheme", name, &known).map(SchemeId)
    }

    pub(super) fn credential(&mut self, source: &CredentialSource) -> Option<(Credential, Location)> {
        let scheme = self.scheme_named(source.scheme.as_ref()?)?;
        let credential = Credential {
            label: source.label.as_ref()?.value.clone(),
            scheme,
            value: source.value.as_ref()?.value.clone(),
        };
        Some((credential, source.value.as_ref()?.at.clone()))
    }

    /// What errors see. Any operation may give them, at any stage, so callers and records are not among it.
    pub(super) fn error_names_scope(&self, manifest: &Manifest) -> Names {
        let mut names = self.common_names();
        let texts = ["field", "pointer", "keyword", "in", "message"].map(|name| (name.to_owned(), Kind::String));
        let others = ["value", "expected"].map(|name| (name.to_owned(), Kind::Any));
        let mut members: Vec<(String, Kind)> = texts.into_iter().chain(others).collect();
        // What rows add, or put in place of these.
        for (key, _) in manifest.rows.iter().flat_map(|row| &row.item) {
            match members.iter_mut().find(|(name, _)| *name == key.name) {
                Some((_, kind)) => *kind = Kind::Any,
                None => members.push((key.name.clone(), Kind::Any)),
            }
        }
        names.bind("violations", Kind::List(Box::new(Kind::object("a violation", members))));
        names.bind("refusal", Kind::String);
        names
    }
}
