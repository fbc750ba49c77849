//! A bad edit leaves the last good pack serving, and says where it is wrong.

use super::*;
use crate::follow::Reader;

/// A line of a pack's file that is wrong, and where.
fn spoil(shop: &Shop) -> &'static str {
    shop.edit("items/create.yaml", "name: = body.name", "name: = body.nmae");
    "fixtures/shop/items/create.yaml:11:20"
}

#[test]
fn a_bad_edit_is_told_everywhere_until_it_is_mended() {
    let shop = Shop::new();
    let server = shop.serve_with("text", &["shop"]);
    create(&server, "", "Chair", 1).expect(201);
    let place = spoil(&shop);
    let standing = once_it_is(&server, "failed");
    assert_eq!(standing["place"], place, "{standing}");
    let found = &standing["diagnostics"][0];
    assert_eq!(
        (&found["code"], &found["at"]["line"], &found["at"]["column"]),
        (&json!("expr-unknown-field"), &json!(11), &json!(20))
    );
    let said = server.stderr_when(|text| text.contains("last good one is served"));
    assert!(said.contains("error[expr-unknown-field]") && said.contains(&format!("--> {place}")), "{said}");
    // The last good one answers, reads and writes, and says so.
    let note = format!("failed; at={place}");
    let answer = create(&server, "", "Stool", 2).expect(201);
    assert_eq!(answer.header("standin-reload"), Some(note.as_str()));
    let page = [FIRST, ("Origin", "https://app.example")];
    let answer = server.call("GET", "/shop/items", &page, "").expect(200);
    assert_eq!((answer.header("standin-reload"), &answer.json()["total"]), (Some(note.as_str()), &json!(4)));
    assert!(answer.header("access-control-expose-headers").unwrap().contains("standin-reload"), "{answer}");
    // Nothing of it is new as long as nothing changes.
    assert_eq!(look(&server), json!([]));

    shop.edit("items/create.yaml", "name: = body.nmae", "name: = body.name ~ \"!\"");
    once_it_is(&server, "live");
    let answer = create(&server, "", "Bench", 3).expect(201);
    assert_eq!((answer.header("standin-reload"), &answer.json()["name"]), (None, &json!("Bench!")));
    server.stderr_when(|text| text.contains("reload: `shop` is live after"));
    assert_eq!(get(&server, "/items").json()["total"], 5, "nothing was lost");
}

#[test]
fn a_stream_is_told_how_packs_stand_whatever_sandbox_it_follows() {
    let shop = Shop::new();
    let server = shop.serve(&["shop"]);
    server.control("POST", "/sandboxes", Some(json!({ "id": "other" }))).expect(201);
    let mut readers =
        ["default", "other"].map(|sandbox| Reader::at(&server, &format!("/~{sandbox}/_standin/journal/stream"), &[]));
    let mut filtered = Reader::open(&server, "?operation=list");
    let stale = |reader: &mut Reader| -> Json { reader.expect("packs").data["stale"].clone() };
    spoil(&shop);
    let failed = json!([{ "pack": "shop", "state": "failed" }]);
    for reader in &mut readers {
        let event = reader.expect("packs");
        assert_eq!((event.id, &event.data["stale"]), (None, &failed));
    }
    // Whoever comes later is told at the beginning.
    assert_eq!(stale(&mut Reader::open(&server, "")), failed);
    shop.edit("items/create.yaml", "name: = body.nmae", "name: = body.name");
    for reader in &mut readers {
        assert_eq!(stale(reader), json!([]), "the files are again those that are served");
    }
    get(&server, "/items").expect(200);
    // Conditions are about exchanges, and let nothing else through.
    filtered.expect("exchange");
}

#[test]
fn what_a_code_means_is_told_as_the_command_tells_it() {
    let shop = Shop::new();
    let server = shop.serve(&["shop"]);
    spoil(&shop);
    let found = once_it_is(&server, "failed")["diagnostics"][0].clone();
    let line = fs::read_to_string(shop.file("items/create.yaml")).unwrap();
    assert_eq!(found["at"]["text"], line.lines().nth(10).unwrap());
    let code = found["code"].as_str().unwrap();
    let told = server.control("GET", &format!("/diagnostics/{code}"), None).expect(200).json();
    let page = fs::read_to_string(repository("docs/diagnostics.md")).unwrap();
    let text = told["text"].as_str().unwrap();
    assert!(text.len() > 80 && page.contains(&format!("### `{code}`\n{text}")), "{told}");
    let detail = server.control("GET", "/diagnostics/expr-unknown-feild", None).problem(404, "code-unknown");
    assert!(detail.contains("did you mean `expr-unknown-field`?"), "{detail}");
}

#[test]
fn the_log_for_tools_has_an_object_for_each_change() {
    let shop = Shop::new();
    let server = shop.serve_with("json", &["shop"]);
    let lines = |text: &str| -> Vec<Json> {
        text.lines()
            .filter_map(|line| serde_json::from_str(line).ok())
            .filter(|line: &Json| line["event"] == "reload")
            .collect()
    };
    let last = |count: usize| lines(&server.stderr_when(|text| lines(text).len() >= count))[count - 1].clone();
    spoil(&shop);
    let failed = last(1);
    assert_eq!(
        (&failed["state"], &failed["pack"], &failed["served"]),
        (&json!("failed"), &json!("shop"), &json!(true))
    );
    assert_eq!(failed["diagnostics"], standing(&server, "shop")["diagnostics"]);
    shop.edit("items/create.yaml", "body.nmae", "body.name");
    assert_eq!(last(2)["state"], "live");
    fs::rename(shop.file(""), shop.root().join("away")).unwrap();
    assert_eq!(last(3)["state"], "gone");
}

#[test]
fn a_new_pack_with_mistakes_is_told_and_served_once_it_has_none() {
    let shop = Shop::new();
    let server = shop.serve(&[]);
    crate::support::write(shop.root(), "fixtures/kiosk/pack.yaml", "pack: kiosk\ntitel: Kiosk\n");
    let standing = once(&server, "kiosk", |standing| standing["state"] == "failed");
    assert_eq!((&standing["served"], &standing["digest"]), (&json!(false), &Json::Null));
    server.get("/kiosk/hello").expect(404);
    let hello = "operation: Say hello\nrequest: GET /hello\ndocs: kiosk.md\nrespond:\n  status: 200\n  like: hello.200.json\n  static: The words are always the same.\n";
    crate::support::write(shop.root(), "fixtures/kiosk/words/hello.yaml", hello);
    crate::support::write(shop.root(), "fixtures/kiosk/words/hello.200.json", "{}\n");
    crate::support::write(shop.root(), "fixtures/kiosk/pack.yaml", "pack: kiosk\ntitle: Kiosk\n");
    once(&server, "kiosk", |standing| standing["state"] == "live");
    server.get("/kiosk/hello").expect(200);
    // One that was never good leaves nothing behind.
    crate::support::write(shop.root(), "fixtures/booth/pack.yaml", "pack: boot\n");
    once(&server, "booth", |standing| standing["state"] == "failed");
    fs::remove_dir_all(shop.root().join("fixtures/booth")).unwrap();
    once(&server, "booth", Json::is_null);
}

#[cfg(unix)]
#[test]
fn a_link_that_leaves_the_pack_is_not_followed() {
    let shop = Shop::new();
    let server = shop.serve(&["shop", "--watch", "off"]);
    let outside = shop.root().join("outside.json");
    fs::write(&outside, "{ \"stolen\": true }").unwrap();
    let file = shop.file("items/show.200.json");
    fs::remove_file(&file).unwrap();
    std::os::unix::fs::symlink(&outside, &file).unwrap();
    assert_eq!(look(&server), json!(["shop"]));
    let standing = standing(&server, "shop");
    assert_eq!(standing["state"], "failed", "{standing}");
    let told = standing["diagnostics"].to_string();
    assert!(told.contains("out of the pack, is not followed") && !told.contains("stolen"), "{told}");
    assert_eq!(get(&server, &format!("/items/{LAMP}")).expect(200).json()["name"], "Lamp");
    // A folder that is a link to itself ends, too.
    std::os::unix::fs::symlink(shop.file(""), shop.file("loop")).unwrap();
    assert_eq!(look(&server), json!(["shop"]));
    get(&server, "/items").expect(200);
}

#[test]
fn a_schema_that_refers_outside_is_a_mistake() {
    let shop = Shop::new();
    fs::write(shop.root().join("secret.json"), "{}").unwrap();
    let server = shop.serve(&["shop", "--watch", "off"]);
    let schema = shop.root().join("schemas/shop/create-item.json");
    let good = fs::read_to_string(&schema).unwrap();
    for outside in ["../../secret.json", "http://127.0.0.1:9/x.json", "file:///etc/hostname"] {
        fs::write(&schema, good.replace(r#"{ "type": "integer" }"#, &format!(r#"{{ "$ref": "{outside}" }}"#))).unwrap();
        assert_eq!(look(&server), json!(["shop"]));
        let standing = standing(&server, "shop");
        assert_eq!(standing["diagnostics"][0]["code"], "schema-reference", "{standing}");
        let note = get(&server, "/items").expect(200).header("standin-reload").unwrap().to_owned();
        assert!(note.starts_with("failed; at=schemas/shop/create-item.json:6:"), "{note}");
        create(&server, "", outside, 1).expect(201);
    }
    fs::write(&schema, good).unwrap();
    assert_eq!(look(&server), json!(["shop"]));
    assert_eq!(get(&server, "/items").header("standin-reload"), None);
}

/// Whoever reads a pipe waits for somebody to write into it.
#[cfg(unix)]
#[test]
fn a_pipe_in_a_pack_is_refused_and_not_waited_for() {
    let shop = Shop::new();
    let server = shop.serve(&["shop", "--watch", "off"]);
    let pipe = shop.file("items/pipe.json");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    std::os::unix::net::UnixListener::bind(shop.file("items/socket.json")).unwrap();
    assert_eq!(look(&server), json!(["shop"]));
    let standing = standing(&server, "shop");
    assert_eq!(standing["diagnostics"][0]["code"], "file-unreadable", "{standing}");
    let told = standing["diagnostics"].to_string();
    assert_eq!(told.matches("a pipe, a socket or a device").count(), 2, "{told}");
    let note = get(&server, "/items").expect(200).header("standin-reload").unwrap().to_owned();
    assert!(note.starts_with("failed; at=fixtures/shop/items/"), "{note}");
    // At the start it is no other.
    let mut command = standin();
    let output = command.current_dir(shop.root()).args(["check", "shop"]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && said.contains("error[file-unreadable]"), "{said}");
}

/// What cannot be read is here a link to itself, which nobody can follow.
#[cfg(unix)]
#[test]
fn a_folder_that_cannot_be_read_is_in_the_way_of_its_own_pack_only() {
    let shop = Shop::new();
    crate::support::write(shop.root(), "fixtures/kiosk/pack.yaml", "pack: kiosk\ntitle: Kiosk\n");
    let server = shop.serve(&["--watch", "off"]);
    let away = shop.root().join("away");
    fs::rename(shop.file(""), &away).unwrap();
    for name in ["shop", "nobody"] {
        std::os::unix::fs::symlink(name, shop.root().join("fixtures").join(name)).unwrap();
    }
    crate::support::write(shop.root(), "fixtures/kiosk/pack.yaml", "pack: kiosk\ntitle: Booth\n");
    assert_eq!(look(&server), json!(["kiosk", "shop"]));
    assert_eq!((&standing(&server, "kiosk")["state"], standing(&server, "nobody")), (&json!("live"), Json::Null));
    let standing = standing(&server, "shop");
    assert_eq!((&standing["state"], &standing["place"]), (&json!("failed"), &json!("fixtures/shop:1:1")), "{standing}");
    let note = get(&server, "/items").expect(200).header("standin-reload").unwrap().to_owned();
    assert_eq!(note, "failed; at=fixtures/shop:1:1");
    fs::remove_file(shop.root().join("fixtures/shop")).unwrap();
    fs::rename(&away, shop.root().join("fixtures/shop")).unwrap();
    assert_eq!(look(&server), json!(["shop"]));
    assert_eq!(get(&server, "/items").expect(200).header("standin-reload"), None);
}

/// A file that cannot be read leaves others short of what is in it, and they come first by their names.
#[test]
fn the_place_is_that_of_the_cause() {
    let shop = Shop::new();
    let server = shop.serve(&["shop", "--watch", "off"]);
    let place = || {
        assert_eq!(look(&server), json!(["shop"]));
        standing(&server, "shop")["place"].as_str().unwrap().to_owned()
    };
    let good = fs::read_to_string(shop.file("pack.yaml")).unwrap();
    shop.write("pack.yaml", &format!("{good}\n  broken: [\n"));
    let at = place();
    assert!(at.starts_with("fixtures/shop/pack.yaml:"), "{at}");
    // Nothing is wrong with the form of this, and what it takes away others use.
    shop.write("pack.yaml", &good);
    assert_eq!(look(&server), json!(["shop"]));
    shop.edit("items/show.200.yaml", "request:", "request: [");
    let at = place();
    assert!(at.starts_with("fixtures/shop/items/show.200.yaml:"), "{at}");
    shop.edit("items/show.200.yaml", "request: [", "request:");
    assert_eq!(look(&server), json!(["shop"]));
    shop.edit("items/show.yaml", "like: show.200.json", "like: shw.200.json");
    let at = place();
    assert_eq!(at, "fixtures/shop/items/show.yaml:14:9");
}
