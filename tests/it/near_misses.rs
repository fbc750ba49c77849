//! What a refused body was probably meant to be: the nearest documented request, and a patch after which the body fits.

use std::collections::BTreeSet;

use serde_json::{Map, Value as Json, json};

use crate::capillary::ADMIN;
use crate::hubster::PORTAL;
use crate::server::{Answer, FORM, JSON, REPORTEI, Server};
use crate::tree;

const CUSTOMER: &str = "caedbbbe-7d93-476f-b965-bf97cd7ce874";
const TOKEN: (&str, &str) = ("x-customer-token", "token-caedbbbe-7d93-476f-b965-bf97cd7ce874");
const MASK: &str = "•••";

/// Where a documented body is sent to.
struct Call {
    file: &'static str,
    method: &'static str,
    path: String,
    headers: Vec<(&'static str, &'static str)>,
}

impl Call {
    fn new(file: &'static str, line: &str, headers: &[(&'static str, &'static str)]) -> Call {
        let (method, path) = line.split_once(' ').unwrap();
        let method = if method == "PUT" { "PUT" } else { "POST" };
        Call { file, method, path: path.to_owned(), headers: [headers, &[JSON]].concat() }
    }

    fn pack(&self) -> &str {
        self.file.split('/').next().unwrap()
    }

    fn send(&self, server: &Server, body: &Json) -> Answer {
        self.send_bytes(server, body.to_string().as_bytes())
    }

    fn send_bytes(&self, server: &Server, body: &[u8]) -> Answer {
        server.call(self.method, &format!("/{}{}", self.pack(), self.path), &self.headers, body)
    }
}

/// Creates a customer.
fn customers() -> Call {
    Call::new("reportei/customers/create.request.json", "POST /customers", &[REPORTEI])
}

/// Creates an integration in a hub. No integration has its id.
fn integrations() -> Call {
    const PATH: &str = "POST /api/v1/integrations/hubs/00000000-0000-0000-0000-0000000000a2";
    Call::new("hubster/integrations/create.request.json", PATH, &[PORTAL])
}

fn metrics() -> Call {
    Call::new("reportei/metrics/get-data.request.json", "POST /metrics/get-data", &[REPORTEI, TOKEN])
}

fn secrets() -> Call {
    Call::new("capillary/oauth/generate.request.json", "POST /v3/oauth/token/generate", &[])
}

fn clients() -> Call {
    Call::new("capillary/clients/create.request.json", "POST /v3/integrations/clients", &[ADMIN])
}

/// Every documented body that is sent, with the rest of the body where the file is a part of one.
fn documented() -> Vec<(Call, Json)> {
    let payment = format!("POST /customers/{CUSTOMER}/update-payment-status");
    let customer = format!("PUT /customers/{CUSTOMER}");
    let client = "PUT /v3/integrations/clients/AAyjgiPapXefvmBEw7810SSio";
    let tokens = "POST /api/v1/tenants/clients/hubster.portal.api.00000000000000000000000000000001/tokens";
    let whole = [
        customers(),
        Call::new("reportei/customers/update.request.json", &customer, &[REPORTEI]),
        Call::new("reportei/customers/update-payment-status.request.json", &payment, &[REPORTEI]),
        Call::new(
            "reportei/customer-integrations/create-session.request.json",
            "POST /customer-integrations/session",
            &[REPORTEI, TOKEN],
        ),
        metrics(),
        Call::new("reportei/metrics/get-data-async.request.json", "POST /metrics/get-data-async", &[REPORTEI, TOKEN]),
        clients(),
        Call::new("capillary/clients/update.request.json", client, &[ADMIN]),
        secrets(),
        Call::new("hubster/hubs/create.request.json", "POST /api/v1/hubs", &[PORTAL]),
        Call::new("hubster/tenants/add-token.request.json", tokens, &[PORTAL]),
        integrations(),
    ];
    let create = |file: &'static str, channel: &str| {
        let around = json!({ "channelId": channel, "name": format!("A new {channel}"), "configuration": null });
        (Call { file, ..integrations() }, around)
    };
    let update = |file: &'static str, number: u32| {
        let line = format!("POST /api/v1/integrations/hubs/00000000-0000-0000-0000-{number:012}");
        (Call::new(file, &line, &[PORTAL]), json!({ "configuration": null }))
    };
    let parts = [
        create("hubster/integrations/create.request.direct.json", "Direct"),
        create("hubster/integrations/create.request.messenger.json", "Messenger"),
        create("hubster/integrations/create.request.slack.json", "Slack"),
        create("hubster/integrations/create.request.system.json", "System"),
        create("hubster/integrations/create.request.twilio-sms.json", "TwilioSMS"),
        create("hubster/integrations/create.request.web-chat.json", "WebChat"),
        update("hubster/integrations/update-direct.request.json", 1),
        update("hubster/integrations/update-system.request.json", 3),
        update("hubster/integrations/update-web-chat.request.json", 106),
    ];
    whole.into_iter().map(|call| (call, Json::Null)).chain(parts).collect()
}

/// Documented bodies that are sent nowhere as they are, each for its reason.
const NOT_SENT: [&str; 2] = [
    // A body of a call that has none.
    "hubster/integrations/get.request.system.json",
    // The page's own example does not keep the page's rule.
    "hubster/integrations/update-direct.request.incomplete.json",
];

fn body_of(call: &Call, around: Json) -> Json {
    let body: Json = serde_json::from_str(&tree::read(&format!("fixtures/{}", call.file))).unwrap();
    match around {
        Json::Null => body,
        mut whole => {
            whole["configuration"] = body;
            whole
        }
    }
}

/// The entry of an answer, with its secrets.
fn entry(server: &Server, answer: &Answer) -> Json {
    let path = format!("/journal/{}?secrets=show", answer.header("standin-entry").unwrap());
    server.control("GET", &path, None).expect(200).json()["exchange"].take()
}

fn is_refused_at_schema(exchange: &Json) -> bool {
    let steps = exchange["trace"].as_array().unwrap();
    steps.iter().any(|step| step["stage"] == "body schema" && step["verdict"] == "refused")
}

fn patched(body: &Json, patch: &Json) -> Json {
    let patch: json_patch::Patch = serde_json::from_value(patch.clone()).unwrap();
    let mut body = body.clone();
    json_patch::patch(&mut body, &patch).unwrap_or_else(|error| panic!("{error}: {patch} on {body}"));
    body
}

// ---- every documented body, damaged in many ways ----

/// The pointers to all places of a value, and the values there.
fn places(value: &Json, pointer: &str, out: &mut Vec<(String, Json)>) {
    let below: Vec<(String, &Json)> = match value {
        Json::Object(object) => object.iter().map(|(key, value)| (key.clone(), value)).collect(),
        Json::Array(items) => items.iter().enumerate().map(|(at, value)| (at.to_string(), value)).collect(),
        _ => Vec::new(),
    };
    out.push((pointer.to_owned(), value.clone()));
    for (key, value) in below {
        places(value, &format!("{pointer}/{key}"), out);
    }
}

/// The body with another value at a pointer.
fn with(body: &Json, pointer: &str, value: Json) -> Json {
    let mut body = body.clone();
    *body.pointer_mut(pointer).unwrap() = value;
    body
}

/// The body with an object changed.
fn changed(body: &Json, pointer: &str, change: impl FnOnce(&mut Map<String, Json>)) -> Json {
    let mut body = body.clone();
    change(body.pointer_mut(pointer).unwrap().as_object_mut().unwrap());
    body
}

/// A body without each member, with each member misspelt, with a member that nobody knows, and with other values.
fn damaged(body: &Json) -> Vec<Json> {
    let mut all = Vec::new();
    places(body, "", &mut all);
    let mut out = Vec::new();
    for (pointer, value) in &all {
        if let Json::Object(object) = value {
            out.push(changed(body, pointer, |object| {
                object.insert("somethingElse".to_owned(), json!({ "a": [1] }));
            }));
            for key in object.keys() {
                out.push(changed(body, pointer, |object| {
                    object.shift_remove(key);
                }));
                for misspelt in [format!("{key}s"), key[1..].to_owned(), key.to_uppercase()] {
                    out.push(changed(body, pointer, |object| {
                        let value = object.shift_remove(key).unwrap();
                        object.insert(misspelt, value);
                    }));
                }
            }
        }
        let others = [
            json!(null),
            json!(true),
            json!(-7),
            json!(0.5),
            json!(""),
            json!("zzz"),
            json!([]),
            json!({}),
            json!([value]),
        ];
        out.extend(others.into_iter().map(|other| with(body, pointer, other)));
        out.push(with(body, pointer, json!(value.to_string())));
        if let Json::String(own) = value {
            let long = own.repeat(300);
            out.extend([own[1..].to_owned(), own.to_lowercase(), long].map(|other| with(body, pointer, json!(other))));
        }
    }
    // Two at once.
    let pairs: Vec<Json> = all
        .iter()
        .zip(all.iter().skip(2))
        .filter(|((first, _), (second, _))| !first.is_empty() && !second.starts_with(first.as_str()))
        .map(|((first, value), (second, _))| with(&with(body, first, json!([value])), second, json!({ "odd": 1 })))
        .collect();
    out.extend(pairs);
    out
}

#[test]
fn a_patched_body_fits_however_it_was_damaged() {
    let server = Server::start(&["--freeze"]);
    let mut refused = 0;
    let mut sent = BTreeSet::new();
    for (call, around) in documented() {
        let body = body_of(&call, around);
        let fine = entry(&server, &call.send(&server, &body));
        assert!(!is_refused_at_schema(&fine), "{} is not fit to be damaged: {fine:#}", call.file);
        assert_eq!(fine.get("nearMiss"), None, "{fine:#}");
        let mut count = 0;
        for (number, damaged) in damaged(&body).into_iter().enumerate() {
            // There may be so many clients of an API and no more.
            if number % 5 == 0 {
                server.control("POST", "/reset", None).expect(200);
            }
            let exchange = entry(&server, &call.send(&server, &damaged));
            if !is_refused_at_schema(&exchange) {
                assert_eq!(exchange.get("nearMiss"), None, "{exchange:#}");
                continue;
            }
            count += 1;
            let near = &exchange["nearMiss"];
            assert!(near["patch"].is_array(), "{}: no patch for {damaged}: {near}", call.file);
            let mended = patched(&damaged, &near["patch"]);
            let again = entry(&server, &call.send(&server, &mended));
            assert!(!is_refused_at_schema(&again), "{}: {damaged} with {near} is {again:#}", call.file);
        }
        assert!(count >= 5, "{}: only {count} damaged bodies were refused", call.file);
        refused += count;
        sent.insert(format!("fixtures/{}", call.file));
    }
    let files = tree::files("fixtures").into_iter();
    let documented: BTreeSet<String> =
        files.filter(|path| path.contains(".request.") && path.ends_with(".json")).collect();
    sent.extend(NOT_SENT.map(|file| format!("fixtures/{file}")));
    assert_eq!(sent, documented, "every documented body is damaged here");
    assert!(refused > 1500, "only {refused} damaged bodies were refused");
}

// ---- what is read ----

/// What is said of a body that its schema refuses.
#[track_caller]
fn near_miss(server: &Server, call: &Call, body: &Json) -> Json {
    let exchange = entry(server, &call.send(server, body));
    assert!(is_refused_at_schema(&exchange), "{body} is not refused: {exchange:#}");
    exchange["nearMiss"].clone()
}

#[track_caller]
fn meant(server: &Server, call: &Call, body: Json, patch: Json) {
    assert_eq!(near_miss(server, call, &body)["patch"], patch, "{body}");
}

#[test]
fn the_patch_keeps_what_was_sent() {
    let server = Server::start(&["reportei", "--freeze"]);
    let call = customers();
    let named = json!([{ "op": "add", "path": "/name", "value": "Reportei Customer 3" }]);
    meant(&server, &call, json!({ "nmae": "Anna" }), json!([{ "op": "move", "from": "/nmae", "path": "/name" }]));
    meant(&server, &call, json!({ "Name": "Anna" }), json!([{ "op": "move", "from": "/Name", "path": "/name" }]));
    meant(&server, &call, json!({ "name": 7 }), json!([{ "op": "replace", "path": "/name", "value": "7" }]));
    meant(&server, &call, json!({ "name": ["A"] }), json!([{ "op": "replace", "path": "/name", "value": "A" }]));
    meant(&server, &call, json!({}), named.clone());
    meant(&server, &call, json!({ "title": "Anna" }), named);
    let both = json!([
        { "op": "move", "from": "/nmae", "path": "/name" },
        { "op": "replace", "path": "/name", "value": "7" },
    ]);
    meant(&server, &call, json!({ "nmae": 7 }), both);
    meant(
        &server,
        &call,
        json!({ "name": " " }),
        json!([{ "op": "replace", "path": "/name", "value": "Reportei Customer 3" }]),
    );
    meant(&server, &call, json!([{ "name": "A" }]), json!([{ "op": "replace", "path": "", "value": { "name": "A" } }]));
    meant(
        &server,
        &call,
        json!("{\"name\":\"A\"}"),
        json!([{ "op": "replace", "path": "", "value": { "name": "A" } }]),
    );
    let near = near_miss(&server, &call, &json!({}));
    assert_eq!(near["example"], "fixtures/reportei/customers/create.request.json");
}

#[test]
fn what_a_body_must_have_depends_on_what_is_in_it() {
    let server = Server::start(&["hubster", "--freeze"]);
    let call = integrations();
    // The configuration's keys are read ignoring case, and the patch is for the body as it was sent.
    let body = json!({
        "channelId": "twiliosms", "name": "Mine",
        "configuration": { "AUTHTOKEN": "a", "acountSid": "b", "numberSid": 3, "NumberSidd": "c" },
    });
    meant(
        &server,
        &call,
        body,
        json!([
            { "op": "replace", "path": "/channelId", "value": "TwilioSMS" },
            { "op": "move", "from": "/configuration/acountSid", "path": "/configuration/accountSid" },
            { "op": "replace", "path": "/configuration/numberSid", "value": "3" },
            { "op": "remove", "path": "/configuration/NumberSidd" },
        ]),
    );
    let body = json!({ "channelId": "WebChat", "name": "Mine", "configuration": { "ALLOWEDORIGINS": "localhost" } });
    meant(
        &server,
        &call,
        body,
        json!([{ "op": "replace", "path": "/configuration/ALLOWEDORIGINS", "value": ["localhost"] }]),
    );
    // What stands beside the configuration belongs into it.
    let body = json!({ "channelId": "Messenger", "name": "Mine", "configuration": {}, "pageAccessToken": "t" });
    meant(
        &server,
        &call,
        body,
        json!([{ "op": "move", "from": "/pageAccessToken", "path": "/configuration/pageAccessToken" }]),
    );
    // What the patch itself gives has all that it must have.
    let body = json!({ "channelId": "System", "name": "Mine" });
    let patch = near_miss(&server, &call, &body)["patch"].clone();
    assert_eq!(patch.as_array().unwrap().len(), 1, "{patch}");
    assert_eq!((&patch[0]["op"], &patch[0]["path"]), (&json!("add"), &json!("/configuration")), "{patch}");
    assert!(patch[0]["value"]["webhookUrl"].is_string() && patch[0]["value"]["events"].is_array(), "{patch}");
    let body = json!({
        "channelId": "WebChat", "name": "Mine",
        "configuration": { "allowedOrigins": ["localhost"], "start": [{ "type": "list" }] },
    });
    let items = json!([{ "op": "add", "path": "/configuration/start/0/items", "value": [{}] }]);
    meant(&server, &call, body, items);
    for (channel, example) in [("Slack", "slack"), ("Direct", "direct"), ("Messenger", "messenger")] {
        let body = json!({
            "channelId": channel, "name": "My cool integration name.", "statusId": 3000, "configuration": { "a": 1 },
        });
        let near = near_miss(&server, &call, &body);
        assert_eq!(near["example"], format!("fixtures/hubster/integrations/create.request.{example}.json"), "{near}");
    }
}

#[test]
fn lists_numbers_and_words_of_a_list_are_mended_where_they_stand() {
    let server = Server::start(&["capillary", "--freeze"]);
    let call = clients();
    let body = json!({
        "name": "Mine", "description": "d", "expirationTokenTime": "600", "defaultTillId": 15_000_449,
        "scopes": [
            { "entityId": "2", "permission": "READWRIT", "resources": [] },
            { "entityId": 1, "permission": "READ", "resources": ".*" },
        ],
    });
    meant(
        &server,
        &call,
        body,
        json!([
            { "op": "replace", "path": "/expirationTokenTime", "value": 600 },
            { "op": "replace", "path": "/scopes/0/entityId", "value": 2 },
            { "op": "replace", "path": "/scopes/0/permission", "value": "READWRITE" },
            { "op": "replace", "path": "/scopes/1/resources", "value": [".*"] },
        ]),
    );
}

/// The options of the sandbox say what is let pass, and what exists.
#[test]
fn options_count() {
    let server = Server::start(&["hubster", "--freeze", "--option", "hubster.lenient-update"]);
    let path = "POST /api/v1/integrations/hubs/00000000-0000-0000-0000-000000000001";
    let call = Call::new("hubster/integrations/update-direct.request.json", path, &[PORTAL]);
    let body = json!({ "configuration": { "echo": "true" } });
    let echo = json!({ "op": "replace", "path": "/configuration/echo", "value": true });
    meant(&server, &call, body.clone(), json!([echo]));
    server.control(
        "POST",
        "/sandboxes",
        Some(json!({ "id": "strict", "options": { "hubster.lenient-update": false } })),
    );
    let strict = ("Standin-Sandbox", "strict");
    let headers = [PORTAL, JSON, strict];
    let answer = server.call("POST", &format!("/hubster{}", call.path), &headers, body.to_string());
    let path = format!("/_standin/journal/{}", answer.header("standin-entry").unwrap());
    let shown = server.call("GET", &path, &[strict], "").expect(200).json();
    let added = json!({ "op": "add", "path": "/configuration/integrationType", "value": "Agent" });
    let patch = shown["exchange"]["nearMiss"]["patch"].as_array().unwrap().clone();
    assert!(patch.len() == 2 && patch.contains(&added) && patch.contains(&echo), "{patch:?}");
}

/// A form is read as an object of texts, and the patch is one of that object.
#[test]
fn a_form_is_patched_as_it_is_read() {
    let server = Server::start(&["--freeze", "--option", "optimizeplayer.accept-form-post"]);
    let path = "/optimizeplayer/api/v1/integrations";
    let patch = |path: &str, form: &str| {
        let answer = server.call("POST", path, &[FORM], form);
        let exchange = entry(&server, &answer);
        assert!(is_refused_at_schema(&exchange), "{form}: {exchange:#}");
        exchange["nearMiss"].clone()
    };
    let renamed = json!([{ "op": "move", "from": "/apikey", "path": "/api_key" }]);
    assert_eq!(patch(path, "apikey=test_key"), json!({ "example": null, "patch": renamed }));
    let removed = json!([{ "op": "remove", "path": "/page" }]);
    assert_eq!(patch(path, "api_key=test_key&page=2")["patch"], removed);
    let token = patch("/hubster/connect/token", "grant_type=client-credentials&clientid=a&client_secret=b");
    let expected = json!([
        { "op": "move", "from": "/clientid", "path": "/client_id" },
        { "op": "replace", "path": "/grant_type", "value": "client_credentials" },
    ]);
    let sorted = |list: &Json| list.as_array().unwrap().iter().map(Json::to_string).collect::<BTreeSet<_>>();
    assert_eq!(sorted(&token["patch"]), sorted(&expected), "{token}");
}

/// What is secret elsewhere in the entry is secret in the patch.
#[test]
fn secrets_are_masked_in_a_patch() {
    let server = Server::start(&["--freeze"]);
    let shown = |answer: &Answer, query: &str| {
        let path = format!("/journal/{}{query}", answer.header("standin-entry").unwrap());
        server.control("GET", &path, None).expect(200).text()
    };
    let generate = secrets();
    let answer = generate.send(&server, &json!({ "key": "k", "secret": 123_456_789 }));
    let open = shown(&answer, "?secrets=show");
    assert!(open.contains(r#""value":"123456789""#), "{open}");
    let masked = shown(&answer, "");
    assert!(!masked.contains("123456789") && masked.contains(&format!(r#""value":"{MASK}""#)), "{masked}");
    // The documented secret, which is one, too.
    let answer = generate.send(&server, &json!({ "key": "k" }));
    let open = shown(&answer, "?secrets=show");
    assert!(open.contains(r#""value":"hoqSBz6VwefECaZA8Q3oNx4V4H3pMDITksarZVES""#), "{open}");
    let masked = shown(&answer, "");
    assert!(!masked.contains("hoqSBz6V") && masked.contains(r#""path":"/secret""#), "{masked}");
    // A credential that the client repeats where nobody looks for one.
    let answer = customers().send(&server, &json!({ "name": ["reportei-test-token"] }));
    assert!(shown(&answer, "?secrets=show").contains(r#""value":"reportei-test-token""#));
    assert!(!shown(&answer, "").contains("reportei-test-token"));
}

// ---- bad input ----

/// Whatever is sent, the entry can be read, the patch is right or not there, and reading it takes no longer than it may.
#[test]
fn odd_bodies_are_told_of_too() {
    let server = Server::start(&["--freeze"]);
    let call = customers();
    let whole = json!([{ "op": "replace", "path": "", "value": { "name": "Reportei Customer 3" } }]);
    for scalar in [json!(null), json!([]), json!(7), json!("x"), json!(true), json!([[], []])] {
        meant(&server, &call, scalar, whole.clone());
    }
    let deep = |levels: usize| (0..levels).fold(json!(1), |inner, _| json!({ "name": inner }));
    meant(&server, &call, deep(60), json!([{ "op": "replace", "path": "/name", "value": "Reportei Customer 3" }]));
    // Too large to be worth it: the example alone.
    let members = |count: usize| (0..count).map(|at| (format!("member{at}"), json!(at))).collect::<Json>();
    let near = near_miss(&server, &call, &members(100_000));
    assert_eq!(near, json!({ "example": "fixtures/reportei/customers/create.request.json", "patch": null }));
    // As large as it may be.
    let near = near_miss(&server, &call, &members(3000));
    assert_eq!(near["patch"], json!([{ "op": "add", "path": "/name", "value": "Reportei Customer 3" }]));
    let near = near_miss(&server, &call, &json!({ "x".repeat(60_000): "n", "~/é\u{1}": 1 }));
    assert_eq!(near["patch"][0]["op"], "add");
    // Thousands of violations at once.
    let items: Vec<Json> = (0..6000).map(|at| json!({ "id": at })).collect();
    let metrics = metrics();
    let body = json!({ "customer_integration": 1, "start": [], "end": {}, "metrics": items });
    let near = near_miss(&server, &metrics, &body);
    assert_eq!(near, json!({ "example": "fixtures/reportei/metrics/get-data.request.json", "patch": null }));
    let few: Vec<Json> = (0..12).map(|at| json!({ "id": at })).collect();
    let body = json!({ "customer_integration": 1, "start": [], "end": {}, "metrics": few });
    let near = near_miss(&server, &metrics, &body);
    let mended = patched(&body, &near["patch"]);
    assert!(!is_refused_at_schema(&entry(&server, &metrics.send(&server, &mended))), "{near}");
    // So many that another body was meant; what fits of this one stays.
    let other = "11111111-2222-4333-8444-555555555555";
    let some: Vec<Json> = (0..45).map(|at| json!({ "id": at })).collect();
    let body = json!({ "customer_integration": other, "start": [], "end": "2024-09-02", "metrics": some });
    let near = near_miss(&server, &metrics, &body);
    let mended = patched(&body, &near["patch"]);
    assert_eq!((&mended["customer_integration"], &mended["end"]), (&json!(other), &json!("2024-09-02")), "{near}");
    assert_eq!(mended["start"], "2024-01-01", "{near}");
    // No body that could be patched, and no refusal by a schema.
    for bytes in [&b"{\"name\":"[..], b"", b"\xff", b"{\"name\":1,\"name\":2}", "[".repeat(200).as_bytes()] {
        let exchange = entry(&server, &call.send_bytes(&server, bytes));
        assert_eq!(exchange.get("nearMiss"), None, "{exchange:#}");
    }
    for list in ["/log", "/journal"] {
        assert!(!server.control("GET", list, None).expect(200).text().contains("nearMiss"), "{list} has many entries");
    }
}
