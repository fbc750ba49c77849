//! The two calls, and the table of kinds.

use super::*;

#[test]
fn call_list_gives_the_documented_array() {
    let server = start(&[]);
    for base in ["", "/optimizeplayer"] {
        let answer = get(&server, &format!("{base}{LIST}")).expect(200);
        assert_eq!(answer.text(), example("list.200.json").to_string(), "also the order of the keys");
        assert_eq!(answer.header("standin-operation"), Some("optimizeplayer/integrations/list"));
        assert_eq!(answer.header("standin-contract"), Some("documented"));
        assert_eq!(answer.header("content-type"), Some("application/json"));
    }
}

#[test]
fn call_retrieve_gives_the_documented_object() {
    let server = start(&[]);
    for base in ["", "/optimizeplayer"] {
        let answer = get(&server, &format!("{base}{LIST}/1")).expect(200);
        assert_eq!(answer.text(), example("show.200.json").to_string());
        assert_eq!(answer.header("standin-operation"), Some("optimizeplayer/integrations/show"));
        assert_eq!(answer.header("standin-contract"), Some("documented"));
    }
    assert_eq!(get(&server, &format!("{LIST}/2")).expect(200).json(), example("list.200.json")[1]);
}

/// Each has the fields of its section and no other, flat beside the common ones.
#[test]
fn kinds_have_exactly_the_fields_of_their_sections() {
    let server = start(&[]);
    let list = server.get(&format!("{LIST}?api_key=kinds_key")).expect(200).json();
    let list = list.as_array().unwrap();
    assert_eq!(list.len(), KINDS.len());
    for (shown, (class, provider, plain, encrypted)) in list.iter().zip(KINDS) {
        assert_eq!((&shown["type"], &shown["provider"]), (&json!(class), &json!(provider)));
        assert_eq!(keys(shown)[..9], COMMON);
        let mut own = keys(shown)[9..].to_vec();
        let mut wanted = [plain, encrypted].concat();
        own.sort_unstable();
        wanted.sort_unstable();
        assert_eq!(own, wanted, "{class}");
        for field in own {
            assert_eq!(shown[field].is_object(), field == "params", "{class}: `{field}` is a text");
            assert_eq!(shown[field].is_string(), field != "params", "{class}: `{field}` is a text");
        }
        let alone = server.get(&format!("{LIST}/{}?api_key=kinds_key", shown["id"])).expect(200).json();
        assert_eq!(&alone, shown);
    }
}

/// A closed schema for each: `check --mutate` takes keys away, this one adds one.
#[test]
fn kinds_have_a_closed_schema_each() {
    let folder = repository("schemas/optimizeplayer");
    for (class, provider, plain, encrypted) in KINDS {
        let file = folder.join(format!("{}.json", provider.replace('_', "-")));
        let schema: Json = serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap();
        let without_secrets = &schema["$defs"]["without-secrets"];
        for (schema, wanted) in [(&schema, [plain, encrypted].concat()), (without_secrets, plain.to_vec())] {
            assert_eq!(schema["unevaluatedProperties"], false, "{class}");
            assert_eq!(schema["properties"]["type"]["const"], class);
            let listed: Vec<&str> =
                schema["required"].as_array().map_or(vec![], |all| all.iter().filter_map(Json::as_str).collect());
            assert_eq!(listed.len(), wanted.len(), "{class}");
            assert!(wanted.iter().all(|field| listed.contains(field)), "{class}: {listed:?}");
        }
    }
}

#[test]
fn rule_an_account_sees_its_own_integrations_only() {
    let server = start(&[]);
    for (key, account, count) in [("test_key", 2, 2), ("acme_key", 3, 1), ("kinds_key", 4, 17)] {
        let list = server.get(&format!("{LIST}?api_key={key}")).expect(200).json();
        let list = list.as_array().unwrap();
        assert_eq!(list.len(), count);
        assert!(list.iter().all(|shown| shown["account_id"] == account), "{key}");
    }
    refused(&get(&server, &format!("{LIST}/3")), 401, "unauthorized");
    server.get(&format!("{LIST}/3?api_key=acme_key")).expect(200);
}

/// Six digits, no zone, also for records that a test adds.
#[test]
fn rule_timestamps_have_microseconds_and_no_zone() {
    let server = start(&[]);
    let record = json!({
        "title": "integration-90", "type": "IntegrationDisqus", "account_id": 3, "use_cloudfront": false,
        "integration_type": "comments", "provider": "disqus", "forum_shortname": "forum",
        "created_at": "2017-05-01T00:00:00.5Z", "updated_at": "2017-05-01T00:00:00Z",
    });
    server.control("POST", "/state/optimizeplayer/integration", Some(record)).expect(201);
    let list = server.get(&format!("{LIST}?api_key=acme_key")).expect(200).json();
    assert_eq!(list[1]["created_at"], "2017-05-01T00:00:00.500000");
    assert_eq!(list[1]["updated_at"], "2017-05-01T00:00:00.000000");
}

#[test]
fn rule_keys_of_the_pack_are_listed_as_credentials() {
    let server = start(&[]);
    let pack = server.control("GET", "/packs/optimizeplayer", None).expect(200).json();
    let values: Vec<&Json> =
        pack["credentials"].as_array().unwrap().iter().map(|credential| &credential["value"]).collect();
    assert_eq!(values, ["test_key", "acme_key", "kinds_key"]);
    assert_eq!(pack["credentials"][0]["in"], "query");
    assert_eq!(pack["credentials"][0]["name"], "api_key");
}
