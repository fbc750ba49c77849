//! A good edit is live, whatever kind of file it is in and however it is saved.

use super::*;
use crate::follow::Reader;

const HELLO: &str = "operation: Say hello\nrequest: GET /hello\ndocs: shop.md#hello\nrespond:\n  status: 200\n  like: hello.200.json\n  static: The words are always the same.\n";

#[test]
fn an_edit_of_each_kind_of_file_is_live() {
    let shop = Shop::new();
    let server = shop.serve(&["shop"]);
    let mut stream = Reader::open(&server, "");
    let mut live = |file: &str| {
        let event = stream.expect("reload");
        assert_eq!((&event.data["pack"], &event.data["because"]), (&json!("shop"), &json!("edited")), "{event:?}");
        assert_eq!(event.data["files"], json!([file]), "{event:?}");
        assert_eq!(event.data["aside"], 0, "{event:?}");
    };
    let quiet = |server: &Server| server.control("DELETE", "/journal", None).expect(204);

    shop.edit("items/list.yaml", "size: = 10", "size: = 1");
    live("fixtures/shop/items/list.yaml");
    assert_eq!(get(&server, "/items").expect(200).json()["items"].as_array().map(Vec::len), Some(1));
    quiet(&server);
    stream = Reader::open(&server, "");
    let mut live = |file: &str| {
        let event = stream.expect("reload");
        assert_eq!(event.data["files"], json!([file]), "{event:?}");
    };

    let schema = shop.root().join("schemas/shop/create-item.json");
    replace(&schema, r#""price": { "type": "integer" }"#, r#""price": { "type": "integer", "minimum": 1 }"#);
    live("schemas/shop/create-item.json");
    shop.edit("items/label.html", "EUR", "Euro");
    live("fixtures/shop/items/label.html");
    shop.edit(
        "items/show.200.json",
        "\"name\": \"Lamp\",\n  \"price\": 1200,",
        "\"price\": 1200,\n  \"name\": \"Lamp\",",
    );
    live("fixtures/shop/items/show.200.json");
    shop.edit("items/label.200.yaml", "request:", "notes: Seen while it was served.\nrequest:");
    live("fixtures/shop/items/label.200.yaml");

    create(&server, "", "Free", 0).expect(422);
    assert!(get(&server, &format!("/items/{LAMP}/label")).expect(200).text().contains("1200 Euro"));
    let shown = get(&server, &format!("/items/{LAMP}")).expect(200).json();
    assert_eq!(crate::support::keys(&shown), ["id", "price", "name", "sold", "added_at"]);
    let operation = server.operation("shop/items/label");
    assert_eq!(operation["examples"][0]["notes"], "Seen while it was served.");
}

#[test]
fn a_new_folder_with_a_new_operation_is_live() {
    let shop = Shop::new();
    let server = shop.serve(&["shop"]);
    get(&server, "/hello").expect(404);
    shop.write("greetings/hello.200.json", "{ \"hello\": \"you\" }\n");
    shop.write("greetings/hello.yaml", HELLO);
    let answer = eventually("the new operation", || Some(get(&server, "/hello")).filter(|answer| answer.status == 200));
    assert_eq!(answer.json(), json!({ "hello": "you" }));
    assert_eq!(answer.header("standin-operation"), Some("shop/greetings/hello"));
    // Inside the new folder, too.
    shop.write("greetings/hello.200.json", "{ \"hello\": \"all\" }\n");
    eventually("the edit", || (get(&server, "/hello").json() == json!({ "hello": "all" })).then_some(()));
    let metrics = server.get("/_standin/metrics").text();
    assert!(metrics.contains(r#"operation="shop/greetings/hello""#), "{metrics}");
}

/// A new file in the place of the old one, and the old one kept beside it: what editors do.
#[test]
fn files_are_saved_in_other_ways_than_by_writing() {
    let shop = Shop::new();
    let server = shop.serve(&["shop"]);
    let file = shop.file("items/list.yaml");
    let text = fs::read_to_string(&file).unwrap();
    for size in [1, 2, 1] {
        let new = file.with_file_name(".list.yaml.4913.tmp");
        fs::write(&new, text.replace("size: = 10", &format!("size: = {size}"))).unwrap();
        fs::rename(&new, &file).unwrap();
        listed(&server, |list| list["items"].as_array().map(Vec::len) == Some(size));
    }
    fs::rename(&file, file.with_file_name("list.yaml~")).unwrap();
    fs::write(&file, &text).unwrap();
    listed(&server, |list| list["items"].as_array().map(Vec::len) == Some(2));
    let standing = once_it_is(&server, "live");
    assert_eq!(standing["diagnostics"], json!([]), "what editors leave behind is no file of the pack: {standing}");
}

#[test]
fn a_folder_that_goes_and_comes_back_is_followed() {
    let shop = Shop::new();
    let server = shop.serve(&["shop"]);
    create(&server, "", "Chair", 1).expect(201);
    for (folder, aside) in
        [("fixtures/shop", "fixtures-shop"), ("fixtures", "was-fixtures"), ("schemas", "was-schemas")]
    {
        let (folder, aside) = (shop.root().join(folder), shop.root().join(aside));
        fs::rename(&folder, &aside).unwrap();
        let standing = once(&server, "shop", |standing| standing["state"] != "live");
        assert_eq!(get(&server, "/items").expect(200).json()["total"], 3, "{standing}");
        let note = get(&server, "/items").header("standin-reload").unwrap().to_owned();
        assert_eq!(
            note,
            format!("{}; at={}", standing["state"].as_str().unwrap(), standing["place"].as_str().unwrap())
        );
        fs::rename(&aside, &folder).unwrap();
        once_it_is(&server, "live");
        assert_eq!(get(&server, "/items").header("standin-reload"), None);
    }
    // It is followed as before.
    shop.edit("items/list.yaml", "size: = 10", "size: = 1");
    assert_eq!(listed(&server, |list| list["items"].as_array().map(Vec::len) == Some(1))["total"], 3);
}

#[test]
fn a_whole_new_pack_is_served_and_goes_on_when_its_folder_goes() {
    let shop = Shop::new();
    let server = shop.serve(&[]);
    let made = server.control("POST", "/sandboxes", Some(json!({ "id": "early" })));
    made.expect(201);
    let stall = shop.root().join("fixtures/stall");
    let schemas = shop.root().join("schemas/stall");
    copy(&shop.root().join("schemas/shop"), &schemas);
    copy(&shop.file(""), &stall);
    replace(&stall.join("pack.yaml"), "pack: shop", "pack: stall");
    let list = |start: &str, host: &str| server.call("GET", &format!("{start}/items"), &[FIRST, ("Host", host)], "");
    let host = format!("127.0.0.1:{}", server.port());
    eventually("the new pack", || Some(list("/stall", &host)).filter(|answer| answer.status == 200));
    // Whole, in every sandbox, in all ways.
    assert_eq!(list("/~early/stall", &host).expect(200).json()["total"], 2);
    assert_eq!(list("", &format!("stall.localhost:{}", server.port())).expect(200).json()["total"], 2);
    let packs = server.control("GET", "/packs", None).json();
    assert_eq!(packs["records"].as_array().unwrap().last().unwrap()["name"], "stall", "numbers stay: {packs}");
    server.control("POST", "/sandboxes", Some(json!({ "id": "stall" }))).problem(400, "member-invalid");
    let late = server.control("POST", "/sandboxes", Some(json!({ "id": "late" })));
    late.expect(201);
    assert_eq!(list("/~late/stall", &host).expect(200).json()["total"], 2);
    let metrics = server.get("/_standin/metrics").text();
    assert!(metrics.contains(r#"standin_request_duration_seconds_count{pack="stall"} 4"#), "{metrics}");

    // Who had the name of a built-in pack is not replaced by that when it goes.
    fs::remove_dir_all(&stall).unwrap();
    once(&server, "stall", |standing| standing["state"] == "gone");
    let answer = list("/stall", &host).expect(200);
    assert_eq!(answer.header("standin-reload"), Some("gone; at=fixtures/stall"));
}

#[test]
fn a_folder_replaces_the_built_in_pack_of_its_name() {
    let shop = Shop::new();
    let server = shop.serve(&["reportei"]);
    assert_eq!(standing(&server, "reportei")["from"], "built-in");
    let title = |server: &Server| server.control("GET", "/packs/reportei", None).json()["title"].clone();
    copy(&repository("schemas/reportei"), &shop.root().join("schemas/reportei"));
    copy(&repository("fixtures/reportei"), &shop.root().join("fixtures/reportei"));
    once(&server, "reportei", |standing| standing["from"] == "disk" && standing["state"] == "live");
    let manifest = shop.root().join("fixtures/reportei/pack.yaml");
    let own = "title: A title of its own";
    let text = fs::read_to_string(&manifest).unwrap();
    let old = text.lines().find(|line| line.starts_with("title:")).unwrap();
    replace(&manifest, old, own);
    eventually("the title", || (title(&server) == "A title of its own").then_some(()));
    fs::remove_dir_all(shop.root().join("fixtures/reportei")).unwrap();
    once(&server, "reportei", |standing| standing["state"] == "gone");
    assert_eq!(title(&server), "A title of its own", "the last good one, and not the built-in one");
    // Packs that were not named are not served.
    assert_eq!(standing(&server, "shop"), Json::Null);
}

#[test]
fn limits_are_those_of_the_pack_as_it_is() {
    let shop = Shop::new();
    let server = shop.serve(&["--watch", "off", "shop"]);
    let told = |status: u16| {
        let answer = get(&server, "/items").expect(status);
        answer.header("ratelimit").map(str::to_owned)
    };
    assert_eq!(told(200), None);
    shop.edit(
        "pack.yaml",
        "violations:\n",
        "limits:\n  - { quota: 2, window: 1m, docs: shop.md#limits }\n\nviolations:\n",
    );
    assert_eq!(look(&server), json!(["shop"]));
    assert_eq!(told(200).as_deref(), Some("\"default\";r=1;t=60"));
    assert_eq!(told(200).as_deref(), Some("\"default\";r=0;t=60"));
    assert_eq!(told(429).as_deref(), Some("\"default\";r=0;t=60"));
    // What was used stays used.
    shop.edit("pack.yaml", "quota: 2", "quota: 3");
    look(&server);
    assert_eq!(told(200).as_deref(), Some("\"default\";r=0;t=60"));
    told(429);
    shop.edit("pack.yaml", "limits:\n  - { quota: 3, window: 1m, docs: shop.md#limits }\n\n", "");
    look(&server);
    assert_eq!(told(200), None);
}

/// Scenarios are about a pack, and no part of it.
#[test]
fn an_edit_of_a_scenario_reloads_nothing() {
    let shop = Shop::new();
    shop.write("scenarios/story.yaml", "scenario: A story\nsteps:\n  - call: List the items\n");
    let server = shop.serve(&["--watch", "off"]);
    let before = standing(&server, "shop");
    let digests = |standing: &Json| standing["digest"].clone();
    shop.edit("scenarios/story.yaml", "A story", "Another story");
    shop.write("scenarios/setup/broken.yaml", "steps: [\n");
    assert_eq!(look(&server), json!([]));
    assert_eq!(digests(&standing(&server, "shop")), digests(&before));
    // It was looked.
    shop.edit("items/list.yaml", "size: = 10", "size: = 1");
    assert_eq!(look(&server), json!(["shop"]));
}
