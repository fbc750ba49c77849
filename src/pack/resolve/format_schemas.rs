//! The JSON Schemas of the files of a pack, `schemas/format`, against the code that reads these files: what editors
//! complete and check is what packs may say.

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};
    use std::fs;
    use std::path::{Path, PathBuf};

    use regex::Regex;
    use serde_json::Value;

    use crate::diagnostic::{Code, Diagnostic, FileId};
    use crate::pack::resolve::request::METHODS;
    use crate::pack::source::{Node, payload_of};
    use crate::pack::webhook::MOST_RETRIES;
    use crate::pack::{Algorithm, Encoding, Family, Files, Folders, KeyEncoding, Refusal, Sort, load, read_all};
    use crate::schema::{Library, Place, Reference};

    const KINDS: [&str; 6] = ["pack", "operation", "event", "webhook", "payload", "example"];

    fn root(path: &str) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
    }

    fn documents() -> BTreeMap<String, Value> {
        let read = |kind: &str| fs::read_to_string(root(&format!("schemas/format/{kind}.json"))).unwrap();
        KINDS.iter().map(|kind| ((*kind).to_owned(), serde_json::from_str(&read(kind)).unwrap())).collect()
    }

    fn library() -> Library {
        let (library, faults) = Library::new(documents(), BTreeSet::new());
        assert_eq!(faults, []);
        library
    }

    /// Which schema describes a file of a pack, by the file's name.
    fn kind(path: &str) -> &'static str {
        let name = path.rsplit('/').next().unwrap_or(path);
        match name.matches('.').count() {
            _ if name == "pack.yaml" => "pack",
            _ if name.ends_with(".event.yaml") => "event",
            _ if name.ends_with(".webhook.yaml") => "webhook",
            1 => "operation",
            _ if payload_of(name).is_some() => "payload",
            _ => "example",
        }
    }

    /// What a schema says about a file; `None` when the file is no YAML.
    fn refusals(library: &Library, path: &Path) -> Option<Vec<String>> {
        let node = Node::parse(&fs::read_to_string(path).ok()?, FileId(0), &mut Vec::new())?;
        let schema = library.compile(&Reference::parse(kind(path.to_str()?))).unwrap();
        let said = schema.violations(&node.to_json(), Place::Body);
        Some(said.into_iter().map(|said| format!("{}: {}: {}", path.display(), said.pointer, said.message)).collect())
    }

    fn yaml_files(folder: &Path, out: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                yaml_files(&path, out);
            } else if path.extension().is_some_and(|end| end == "yaml") {
                out.push(path);
            }
        }
    }

    #[test]
    fn every_correct_file_fits() {
        let library = library();
        let mut files = Vec::new();
        for folder in ["fixtures", "tests/cases/format", "tests/cases/diagnostics/base"] {
            yaml_files(&root(folder), &mut files);
        }
        // Scenarios have a schema of their own.
        files.retain(|path| path.components().all(|part| part.as_os_str() != "scenarios"));
        assert!(files.len() > 60, "{}", files.len());
        let wrong: Vec<String> = files.iter().flat_map(|path| refusals(&library, path).unwrap()).collect();
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }

    /// Mistakes of form that a schema cannot see, each with the reason.
    const UNSEEN: &[(&str, &str)] = &[
        ("answers-none-left", "which answer is the last is no question of form"),
        ("effect-incomplete", "the fields of a resource are the pack's"),
        ("effect-nothing", "an update without changes has the form of one"),
        ("error-cases-none-left", "which case is the last is no question of form"),
        ("error-fault-some-cases", "what the other cases say is no question of the form of one"),
        ("example-path", "the parameters of a path are the operation's"),
        ("payload-cause-path", "the parameters of a path are the operation's"),
        ("schedule-input-none", "which parameters an event needs it says under `input` of its own"),
    ];

    #[test]
    fn mistakes_of_form_are_refused() {
        let library = library();
        let found = Regex::new(r"(?m)^(?:error|warning)\[([a-z-]+)\].*\n *--> (.*):\d+:\d+$").unwrap();
        let (mut tried, mut accepted) = (0, Vec::new());
        for entry in fs::read_dir(root("tests/cases/diagnostics")).unwrap() {
            let case = entry.unwrap().path();
            let name = case.file_name().unwrap().to_str().unwrap().to_owned();
            let said = fs::read_to_string(case.join("expected.txt")).unwrap_or_default();
            let said: Vec<(&str, &str)> = found.captures_iter(&said).map(|one| one.extract().1.into()).collect();
            let [(code, path)] = said.as_slice() else { continue };
            let closed = ["key-unknown", "key-missing", "kind-wrong"].contains(code)
                || ["name-type", "name-rejection", "name-row", "status", "status-error", "auth-words"]
                    .contains(&&*name);
            if !closed || !path.ends_with(".yaml") {
                continue;
            }
            tried += 1;
            // A file of the base is named when the mistake is in another one.
            let own = Some(case.join(path)).filter(|path| path.is_file());
            if own.is_none_or(|path| refusals(&library, &path).is_some_and(|said| said.is_empty())) {
                accepted.push(name);
            }
        }
        accepted.sort();
        assert!(tried > 10, "{tried}");
        assert_eq!(accepted, UNSEEN.iter().map(|(name, _)| *name).collect::<Vec<_>>());
    }

    /// A file for each mapping that has keys of its own, with one key there that does not exist.
    const PROBES: &[(&str, &str, &str)] = &[
        ("a pack", "pack.yaml", "zzz: 0"),
        ("a time format that is not one pattern", "pack.yaml", "pack: shop\ntitle: x\ntimestamps: { zzz: 0 }"),
        ("an option", "pack.yaml", "options: { x: { zzz: 0 } }"),
        ("a scheme", "pack.yaml", "auth: { x: { zzz: 0 } }"),
        ("a credential", "pack.yaml", "credentials: { zzz: 0 }"),
        ("a resource", "pack.yaml", "resources: { x: { zzz: 0 } }"),
        ("a field", "pack.yaml", "resources: { x: { fields: { y: { zzz: 0 } } } }"),
        ("a uniqueness", "pack.yaml", "resources: { x: { unique: { zzz: 0 } } }"),
        ("a seed", "pack.yaml", "resources: { x: { seed: { zzz: 0 } } }"),
        ("a guard", "pack.yaml", "guards: { x: { zzz: 0 } }"),
        ("a named shape", "pack.yaml", "shapes: { x: { zzz: 0 } }"),
        ("an error", "pack.yaml", "errors: { x: { zzz: 0 } }"),
        ("a row of `violations`", "pack.yaml", "violations: { zzz: 0 }"),
        ("a limit", "pack.yaml", "limits: { zzz: 0 }"),
        ("an operation", "items/show.yaml", "zzz: 0"),
        ("a further way to an operation", "items/show.yaml", "also: { zzz: 0 }"),
        ("`body`", "items/show.yaml", "body: { zzz: 0 }"),
        ("a record to load", "items/show.yaml", "load: { x: { zzz: 0 } }"),
        ("a list", "items/show.yaml", "list: { zzz: 0 }"),
        ("an effect", "items/show.yaml", "effects: { zzz: 0 }"),
        ("an answer", "items/show.yaml", "respond: { zzz: 0 }"),
        ("`like`", "items/show.yaml", "respond: { like: { zzz: 0 } }"),
        ("a shown value", "items/show.yaml", "respond: { show: { each: = 1, zzz: 0 } }"),
        ("every field but some", "items/show.yaml", "respond: { show: { of: = 1, shape: { except: = 1, zzz: 0 } } }"),
        ("a shape of a choice", "items/show.yaml", "respond: { show: { of: = 1, shape: { by: = 1, x: { zzz: 0 } } } }"),
        ("an event", "items/sell.event.yaml", "zzz: 0"),
        ("a guard of an event", "items/sell.event.yaml", "guards: { zzz: 0 }"),
        ("a schedule", "items/sell.event.yaml", "schedule: { zzz: 0 }"),
        ("a webhook", "items/sold.webhook.yaml", "zzz: 0"),
        ("what a webhook is on", "items/sold.webhook.yaml", "on: { zzz: 0 }"),
        ("a signature", "items/sold.webhook.yaml", "sign: { zzz: 0 }"),
        ("the body of a webhook", "items/sold.webhook.yaml", "body: { zzz: 0 }"),
        ("the side file of a payload", "items/sold.payload.yaml", "zzz: 0"),
        ("a cause", "items/sold.payload.yaml", "cause: { zzz: 0 }"),
        ("a side file", "items/show.200.yaml", "zzz: 0"),
        ("`request`", "items/show.200.yaml", "request: { zzz: 0 }"),
        ("`around`", "items/show.200.yaml", "request: { around: { zzz: 0 } }"),
    ];

    /// A webhook with a payload, whose side file is only read beside them.
    const SOLD: [(&str, &str); 2] = [
        (
            "items/sold.webhook.yaml",
            "webhook: x\ndocs: x\non: { update: item }\nto: http://127.0.0.1/\nbody: { show: { id: = item.id } }\n",
        ),
        ("items/sold.payload.json", "{ \"id\": \"x\" }"),
    ];

    /// What the reader or the resolver misses although it reads on, and a schema can say.
    const ALSO_REQUIRED: &[(&str, &str)] =
        &[("a resource", "fields"), ("a uniqueness", "fields"), ("an event", "effects")];

    /// Every mapping of the schemas by its title: the schema.
    fn described() -> BTreeMap<String, Value> {
        fn walk(value: &Value, out: &mut BTreeMap<String, Value>) {
            if let Some(title) = value.get("title").and_then(Value::as_str)
                && value.get("properties").is_some()
            {
                assert!(out.insert(title.to_owned(), value.clone()).is_none(), "{title} is described twice");
            }
            match value {
                Value::Object(object) => object.values().for_each(|inner| walk(inner, out)),
                Value::Array(items) => items.iter().for_each(|inner| walk(inner, out)),
                _ => {}
            }
        }
        let mut out = BTreeMap::new();
        documents().values().for_each(|document| walk(document, &mut out));
        out
    }

    fn words(text: &str) -> BTreeSet<String> {
        text.split('`').skip(1).step_by(2).map(str::to_owned).collect()
    }

    fn shop() -> Files {
        let base = root("tests/cases/diagnostics/base");
        let folders = Folders { fixtures: base.join("fixtures"), schemas: base.join("schemas") };
        read_all(&folders).unwrap().into_iter().find(|files| files.folder == "shop").unwrap()
    }

    #[test]
    fn every_mapping_has_the_keys_that_are_read() {
        let (base, described) = (shop(), described());
        for (what, path, text) in PROBES {
            let mut files = base.clone();
            files.fixtures.insert((*path).to_owned(), text.as_bytes().to_vec());
            if path.contains(".payload.") {
                files.fixtures.extend(SOLD.map(|(path, text)| (path.to_owned(), text.as_bytes().to_vec())));
            }
            let found = load(&files).diagnostics;
            let unknown = format!("{what} has no key `zzz`");
            let is_it = |found: &&Diagnostic| found.code == Code::KeyUnknown && found.message == unknown;
            let help = found
                .iter()
                .find(is_it)
                .and_then(|found| found.help.as_deref())
                .unwrap_or_else(|| panic!("{what}: {found:?}"));
            let schema = &described[*what];
            let keys: BTreeSet<String> = schema["properties"].as_object().unwrap().keys().cloned().collect();
            assert_eq!(words(help), keys, "{what}");
            assert_eq!(schema["additionalProperties"], Value::Bool(false), "{what}");
            for (key, inner) in schema["properties"].as_object().unwrap() {
                assert!(inner["description"].is_string(), "{what}: `{key}` has no description");
            }
            let needs = format!("{what} needs `");
            let needed = found.iter().filter(|found| found.code == Code::KeyMissing);
            let needed: BTreeSet<String> = needed
                .filter_map(|found| Some(found.message.strip_prefix(&needs)?.trim_end_matches('`').to_owned()))
                // One key is needed and another unknown: that is one message.
                .chain(help.rsplit_once("; ").map(|(_, rest)| words(rest)).into_iter().flatten())
                .chain(ALSO_REQUIRED.iter().filter(|(known, _)| known == what).map(|(_, key)| (*key).to_owned()))
                .collect();
            let required = schema["required"].as_array().into_iter().flatten();
            let required: BTreeSet<String> = required.map(|key| key.as_str().unwrap().to_owned()).collect();
            assert_eq!(needed, required, "{what}");
        }
        let probed: BTreeSet<&str> = PROBES.iter().map(|(what, _, _)| *what).collect();
        let pattern = Regex::new(r#"(?:Fields::of|ReplySource::read)\(\s*\w+, "([^"]+)""#).unwrap();
        for path in [
            "source/example.rs",
            "source/manifest.rs",
            "source/operation.rs",
            "source/option.rs",
            "source/payload.rs",
            "source/template.rs",
            "source/webhook.rs",
            "resolve/manifest.rs",
        ] {
            let text = fs::read_to_string(root("src/pack").join(path)).unwrap();
            for one in pattern.captures_iter(&text) {
                assert!(probed.contains(&one[1]), "{path}: {} has no probe", &one[1]);
            }
        }
    }

    fn listed(value: &Value) -> Vec<&str> {
        value.as_array().unwrap().iter().map(|word| word.as_str().unwrap()).collect()
    }

    #[test]
    fn closed_words_are_those_of_the_code() {
        let (documents, described) = (documents(), described());
        let (pack, operation) = (&documents["pack"], &documents["operation"]);
        let types: Vec<&str> = Sort::NAMES.iter().map(|(name, _)| *name).chain(["secret"]).collect();
        assert_eq!(listed(&pack["$defs"]["type"]["enum"]), types);
        let rejections = pack["properties"]["rejections"]["properties"].as_object().unwrap();
        assert_eq!(rejections.keys().map(String::as_str).collect::<Vec<_>>(), Refusal::ALL.map(Refusal::name));
        let families = &described["a limit"]["properties"]["headers"]["enum"];
        assert_eq!(listed(families), Family::ALL.map(Family::name));
        let places = &described["a row of `violations`"]["properties"]["in"]["enum"];
        assert_eq!(listed(places), Place::REQUEST.map(Place::name));
        let signed = |key: &str| listed(&described["a signature"]["properties"][key]["enum"]);
        assert_eq!(signed("algorithm"), Algorithm::ALL.map(Algorithm::word));
        assert_eq!(signed("key-encoding"), KeyEncoding::ALL.map(KeyEncoding::word));
        assert_eq!(signed("encoding"), Encoding::ALL.map(Encoding::word));
        assert_eq!(documents["webhook"]["properties"]["retries"]["then"]["maxItems"], MOST_RETRIES);
        let request = operation["properties"]["request"]["pattern"].as_str().unwrap();
        assert!(request.starts_with(&format!("^({}) ", METHODS.join("|"))), "{request}");
    }
}
