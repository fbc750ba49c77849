//! `schemas/format/scenario.json` against the code that reads scenarios: what editors complete and check is what they may say.

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};
    use std::fs;
    use std::path::{Path, PathBuf};
    use std::sync::Arc;

    use regex::Regex;
    use serde_json::Value as Json;

    use crate::diagnostic::{Code, FileId};
    use crate::pack::source::Node;
    use crate::pack::{Folders, load, read_all};
    use crate::scenario::{Ground, Read, Source, read};
    use crate::schema::{Library, Place, Reference, Schema};

    fn root(path: &str) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
    }

    fn document() -> Json {
        serde_json::from_str(&fs::read_to_string(root("schemas/format/scenario.json")).unwrap()).unwrap()
    }

    fn schema() -> Schema {
        let (library, faults) = Library::new(BTreeMap::from([("scenario".to_owned(), document())]), BTreeSet::new());
        assert_eq!(faults, []);
        library.compile(&Reference::parse("scenario")).unwrap()
    }

    fn refusals(schema: &Schema, path: &Path) -> Vec<String> {
        let node = Node::parse(&fs::read_to_string(path).unwrap(), FileId(0), &mut Vec::new());
        let Some(node) = node else { return vec!["no YAML".to_owned()] };
        let said = schema.violations(&node.to_json(), Place::Body);
        said.into_iter().map(|said| format!("{}: {}: {}", path.display(), said.pointer, said.message)).collect()
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
    fn every_scenario_that_ships_fits() {
        let schema = schema();
        let mut files = Vec::new();
        for pack in fs::read_dir(root("fixtures")).unwrap() {
            yaml_files(&pack.unwrap().path(), &mut files);
        }
        files.retain(|path| path.components().any(|part| part.as_os_str() == "scenarios"));
        assert!(files.len() >= 40, "{}", files.len());
        let wrong: Vec<String> = files.iter().flat_map(|path| refusals(&schema, path)).collect();
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }

    #[test]
    fn mistakes_of_form_are_refused() {
        let schema = schema();
        let first = Regex::new(r"^(?:error|warning)\[([a-z-]+)\]").unwrap();
        let (mut tried, mut accepted) = (0, Vec::new());
        for entry in fs::read_dir(root("tests/cases/scenarios")).unwrap() {
            let said = entry.unwrap().path();
            let case = said.with_extension("yaml");
            if said.extension().is_none_or(|end| end != "txt") {
                continue;
            }
            let text = fs::read_to_string(&said).unwrap();
            let code = first.captures(&text).map(|found| found[1].to_owned()).unwrap_or_default();
            if !["key-unknown", "kind-wrong"].contains(&code.as_str()) {
                continue;
            }
            tried += 1;
            if refusals(&schema, &case).is_empty() {
                accepted.push(case.file_stem().unwrap().to_string_lossy().into_owned());
            }
        }
        accepted.sort();
        assert!(tried >= 12, "{tried}");
        // That all rows have the same keys is no question of form.
        assert_eq!(accepted, ["row-more"]);
    }

    /// For each mapping that has keys of its own a scenario with a key there that does not exist.
    const PROBES: &[(&str, &str)] = &[
        ("a scenario", "zzz: 0"),
        ("a setup", "setup: x\nzzz: 0"),
        ("a `call` step", "steps: [{ call: x, zzz: 0 }]"),
        ("an `advance` step", "steps: [{ advance: x, zzz: 0 }]"),
        ("an advance", "steps: [{ advance: { zzz: 0 } }]"),
        ("a `clock` step", "steps: [{ clock: x, zzz: 0 }]"),
        ("`clock`", "steps: [{ clock: { zzz: 0 } }]"),
        ("an `event` step", "steps: [{ event: x, zzz: 0 }]"),
        ("a `send` step", "steps: [{ send: {}, zzz: 0 }]"),
        ("a `fault` step", "steps: [{ fault: none, zzz: 0 }]"),
        ("a `limit` step", "steps: [{ limit: none, zzz: 0 }]"),
        ("a `stub` step", "steps: [{ stub: none, zzz: 0 }]"),
        ("a `create` step", "steps: [{ create: x, zzz: 0 }]"),
        ("an `update` step", "steps: [{ update: x, zzz: 0 }]"),
        ("a `delete` step", "steps: [{ delete: x, zzz: 0 }]"),
        ("a `snapshot` step", "steps: [{ snapshot: x, zzz: 0 }]"),
        ("a `restore` step", "steps: [{ restore: x, zzz: 0 }]"),
        ("a `rewind` step", "steps: [{ rewind: 1, zzz: 0 }]"),
        ("a `reset` step", "steps: [{ reset: true, zzz: 0 }]"),
        ("a `receive` step", "steps: [{ receive: x, zzz: 0 }]"),
        ("an answer of a receiver", "steps: [{ receive: x, answers: { zzz: 0 } }]"),
        ("a `redeliver` step", "steps: [{ redeliver: x, zzz: 0 }]"),
        ("a `control` step", "steps: [{ control: GET /clock, zzz: 0 }]"),
        ("a `repeat` step", "steps: [{ repeat: 2, zzz: 0 }]"),
        ("a `parallel` step", "steps: [{ parallel: 2, zzz: 0 }]"),
        ("an `expect` step", "steps: [{ expect: {}, zzz: 0 }]"),
        ("`expect`", "steps: [{ expect: { zzz: 0 } }]"),
        ("a count", "steps: [{ expect: { journal: { count: { zzz: 0 } } } }]"),
        ("an item of `journal`", "steps: [{ expect: { journal: { zzz: 0 } } }]"),
        ("an item of `deliveries`", "steps: [{ expect: { deliveries: { zzz: 0 } } }]"),
        ("an item of `received`", "steps: [{ expect: { received: { zzz: 0 } } }]"),
    ];

    /// What the reader misses in words of its own, and a schema can say.
    const ALSO_REQUIRED: &[(&str, &str)] = &[("a `parallel` step", "steps")];

    fn ground() -> Ground {
        let base = root("tests/cases/diagnostics/base");
        let folders = Folders { fixtures: base.join("fixtures"), schemas: base.join("schemas") };
        let files = read_all(&folders).unwrap().into_iter().find(|files| files.folder == "shop").unwrap();
        Ground { packs: vec![(Arc::new(load(&files).pack.unwrap()), Arc::new(files))], broken: Vec::new() }
    }

    fn words(text: &str) -> BTreeSet<String> {
        text.split('`').skip(1).step_by(2).map(str::to_owned).collect()
    }

    /// Every mapping of the schema by its title.
    fn described(value: &Json, out: &mut BTreeMap<String, Json>) {
        if let Some(title) = value.get("title").and_then(Json::as_str) {
            assert!(out.insert(title.to_owned(), value.clone()).is_none(), "{title} is described twice");
        }
        match value {
            Json::Object(object) => object.values().for_each(|inner| described(inner, out)),
            Json::Array(items) => items.iter().for_each(|inner| described(inner, out)),
            _ => {}
        }
    }

    fn told(ground: &Ground, text: &str) -> Read {
        let source = Source { shown: "x.yaml".to_owned(), text: text.to_owned(), pack: Some(0) };
        read(&[source], ground, &|_| Err("there is none".to_owned()))
    }

    #[test]
    fn every_mapping_has_the_keys_that_are_read() {
        let (ground, mut all) = (ground(), BTreeMap::new());
        described(&document(), &mut all);
        for (what, text) in PROBES {
            let found = told(&ground, text).diagnostics;
            let unknown = format!("{what} has no key `zzz`");
            let is_it = |message: &str| message == unknown;
            let help = found.iter().find(|found| found.code == Code::KeyUnknown && is_it(&found.message));
            let help = help.and_then(|found| found.help.as_deref()).unwrap_or_else(|| panic!("{what}: {found:?}"));
            let schema = all.remove(*what).unwrap_or_else(|| panic!("{what} is not described"));
            let properties = schema["properties"].as_object().unwrap();
            assert_eq!(words(help), properties.keys().cloned().collect(), "{what}");
            assert_eq!(schema["additionalProperties"], false, "{what}");
            for (key, inner) in properties {
                assert!(inner["description"].is_string(), "{what}: `{key}` has no description");
            }
            let needs = format!("{what} needs `");
            let mut needed: BTreeSet<String> = found
                .iter()
                .filter_map(|found| Some(found.message.strip_prefix(&needs)?.trim_end_matches('`').to_owned()))
                .chain(help.rsplit_once("; ").map(|(_, rest)| words(rest)).into_iter().flatten())
                .collect();
            // The word of a step is what makes it one; a mapping of another kind says it itself.
            needed.extend(words(what).into_iter().filter(|_| what.ends_with(" step")));
            needed.extend((*what == "a setup").then(|| "setup".to_owned()));
            for (_, key) in ALSO_REQUIRED.iter().filter(|(known, _)| known == what) {
                needed.remove(*key);
            }
            let required: BTreeSet<String> = schema["required"]
                .as_array()
                .into_iter()
                .flatten()
                .map(|key| key.as_str().unwrap().to_owned())
                .collect();
            assert_eq!(needed, required, "{what}");
        }
        assert!(all.is_empty(), "nothing reads {:?}", all.keys());
    }
}
