//! What records are made of, which of them are meant, which events take them, and what became of one.

use super::*;

/// The records that a query chooses, by their names, and how many there are.
#[track_caller]
fn chosen(server: &Server, query: &str) -> (Vec<String>, Json) {
    let found = server.control("GET", &format!("/state/reportei/customer?{query}"), None).expect(200).json();
    let records = found["records"].as_array().unwrap().iter();
    (records.map(|record| record["name"].as_str().unwrap().to_owned()).collect(), found["total"].clone())
}

#[test]
fn records_are_chosen_by_a_text_and_by_what_a_field_holds() {
    let server = start();
    let all = |names: &[&str]| (names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>(), json!(names.len()));
    let (one, two, acme) = ("Reportei Customer 1", "Reportei Customer 2", "Acme Customer 1");
    assert_eq!(chosen(&server, "text=aCmE"), all(&[acme]));
    assert_eq!(chosen(&server, "text=customer+1"), all(&[one, acme]));
    assert_eq!(chosen(&server, "text=2024-10-08+17:15:12"), all(&[one, two]), "instants as the wire spells them");
    assert_eq!(chosen(&server, "text=token-"), all(&[]), "a secret is not searched");
    assert_eq!(chosen(&server, &format!("field=merchant_uuid&value={REPORTEI_MERCHANT}")), all(&[one, two]));
    assert_eq!(chosen(&server, &format!("field=merchant_uuid&value={REPORTEI_MERCHANT}&text=2")).0, [one, two]);
    assert_eq!(chosen(&server, "field=name&value=Acme+Customer+1"), all(&[acme]));
    assert_eq!(chosen(&server, "field=name&value=Acme"), all(&[]));
    assert_eq!(chosen(&server, "field=is_paying&value=false&limit=1").0.len(), 1);

    let path = "/state/reportei/customer";
    let refused = |query: &str, slug: &str| server.control("GET", &format!("{path}?{query}"), None).problem(400, slug);
    assert!(refused("field=nam&value=x", "filter-invalid").contains("`name`"));
    refused("field=api_token&value=x", "filter-invalid");
    refused("field=name", "filter-invalid");
    refused("value=x", "filter-invalid");
    refused(&format!("text={}", "x".repeat(201)), "filter-invalid");
    refused("texts=x", "query-unknown");
}

#[test]
fn chosen_records_come_in_pieces() {
    let server = start();
    let mut after = json!(0);
    let mut seen = Vec::new();
    while !after.is_null() {
        let path = format!("/state/reportei/customer?text=customer+1&limit=1&after={after}");
        let piece = server.control("GET", &path, None).expect(200).json();
        assert_eq!(piece["total"], 2);
        seen.push(piece["records"][0]["name"].clone());
        after = piece["next"].clone();
    }
    assert_eq!(seen, ["Reportei Customer 1", "Acme Customer 1"]);
}

#[test]
fn a_pack_tells_the_fields_of_its_resources() {
    let server = start();
    let pack = server.control("GET", "/packs/reportei", None).expect(200).json();
    let fields = &pack["fields"];
    let field = |resource: &str, name: &str| {
        let all = fields[resource].as_array().unwrap();
        all.iter().find(|field| field["name"] == name).unwrap_or_else(|| panic!("{resource}.{name}")).clone()
    };
    let resources: Vec<&Json> = pack["resources"].as_array().unwrap().iter().collect();
    assert_eq!(fields.as_object().unwrap().keys().collect::<Vec<_>>(), resources);
    assert_eq!(
        field("customer", "merchant_uuid"),
        json!({
            "name": "merchant_uuid", "type": "uuid", "format": null, "id": false, "owner": true, "refers": "merchant",
            "required": true, "optional": false, "internal": true, "default": null,
        })
    );
    let id = field("customer", "uuid");
    assert_eq!((&id["id"], &id["required"]), (&json!(true), &json!(false)), "the pack makes it");
    let token = field("customer", "api_token");
    assert_eq!((&token["type"], &token["default"]), (&json!("secret"), &json!("= \"token-\" ~ record.uuid")));
    assert_eq!(field("customer", "created_at")["format"], "%Y-%m-%d %H:%M:%S");
    assert_eq!(field("merchant", "rate_limit_per_minute")["default"], "999");
}

#[test]
fn an_event_tells_which_records_it_takes() {
    let server = Server::start(&["reportei", "hubster", "capillary", "--freeze"]);
    let events = server.control("GET", "/events", None).expect(200).json();
    let refers = |name: &str| {
        let all = events["records"].as_array().unwrap();
        all.iter().find(|event| event["name"] == name).unwrap_or_else(|| panic!("{name}"))["refers"].clone()
    };
    assert_eq!(refers("revoke"), json!({ "uuid": { "resource": "integration", "field": "uuid" } }));
    assert_eq!(refers("connect"), json!({ "customer_uuid": { "resource": "customer", "field": "uuid" } }));
    assert_eq!(refers("extend-token-life"), json!({ "org": { "resource": "org", "field": "id" } }));
    // One is looked up in a way of its own, the other only where the first is not given.
    assert_eq!(
        refers("send-activity"),
        json!({
            "integrationId": { "resource": "integration", "field": "integrationId" },
            "hubId": { "resource": "hub", "field": "hubId" },
        })
    );
}

#[test]
fn what_became_of_a_record_is_told_newest_first() {
    let server = start();
    let own = format!("/state/reportei/integration/{INTEGRATION}");
    let changes = |path: &str| server.control("GET", &format!("{path}/changes"), None).expect(200).json();
    assert_eq!(changes(&own)["total"], 0);
    server.control("PATCH", &own, Some(json!({ "source_name": "other" }))).expect(200);
    server.control("POST", "/events/reportei/revoke", Some(json!({ "uuid": INTEGRATION }))).expect(200);
    server.api("PUT", &format!("/customers/{SECOND}"), Some(json!({ "name": "Somebody else" }))).expect(200);
    // Its customer goes, and it goes with it.
    server.api("DELETE", &format!("/customers/{SECOND}"), None).expect(200);

    let told = changes(&own);
    let line = |entry: &Json| {
        let what = [&entry["operation"], &entry["event"], &entry["method"]]
            .map(|part| part.as_str().unwrap_or("-").to_owned());
        let changes = entry["changes"].as_array().unwrap();
        assert_eq!(changes.len(), 1, "only what was done to this record: {entry:#}");
        assert_eq!((&changes[0]["resource"], &changes[0]["id"]), (&json!("integration"), &json!(INTEGRATION)));
        (entry["kind"].as_str().unwrap().to_owned(), what.join(" "), changes[0]["verb"].as_str().unwrap().to_owned())
    };
    let lines: Vec<_> = told["records"].as_array().unwrap().iter().map(line).collect();
    let expected = [
        ("exchange", "reportei/customers/delete - DELETE", "delete"),
        ("event", "- revoke -", "update"),
        ("state", "- - PATCH", "update"),
    ];
    assert_eq!(lines, expected.map(|(kind, what, verb)| (kind.to_owned(), what.to_owned(), verb.to_owned())));
    assert_eq!(told["records"][0]["path"], format!("/customers/{SECOND}"));

    // In pieces, the newest first.
    let first = server.control("GET", &format!("{own}/changes?limit=2"), None).expect(200).json();
    assert_eq!((&first["total"], first["records"].as_array().unwrap().len()), (&json!(3), 2));
    let rest =
        server.control("GET", &format!("{own}/changes?limit=2&after={}", first["next"]), None).expect(200).json();
    assert_eq!((&rest["records"][0], &rest["next"]), (&told["records"][2], &json!(null)));

    // What is undone did not happen.
    let to = told["records"][1]["entry"].clone();
    server.control("POST", "/rewind", Some(json!({ "to": to }))).expect(200);
    assert_eq!(changes(&own)["total"], 1);
    server.control("GET", "/state/reportei/nothing/1/changes", None).problem(404, "resource-unknown");
    assert_eq!(changes("/state/reportei/customer/nobody")["total"], 0);
}
