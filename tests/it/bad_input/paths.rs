//! Paths and methods that mean nothing.

use super::*;

// ---- paths and methods ----

#[test]
fn unknown_paths_are_404_and_name_what_is_near() {
    let server = start();
    let watch = server.watch();
    for (method, path, operation, difference) in [
        ("GET", "/customer", "list", "`customers` where `customer` stands"),
        ("GET", "/Customers", "list", "`customers` where `Customers` stands"),
        ("GET", "/customers/", "list", "ends without `/`"),
        ("POST", "/customers/", "create", "ends without `/`"),
        ("POST", "/customers/x/update-payment", "update-payment-status", "update-payment-status"),
        ("GET", "/reportei/reportei/customers", "list", "twice"),
    ] {
        let answer = server.api(method, path, None);
        let detail = answer.problem(404, "no-operation");
        let near = answer.json()["nearMisses"].clone();
        let first = &near[0];
        assert!(near.as_array().unwrap().len() <= 3);
        assert_eq!(first["operation"], json!(format!("reportei/customers/{operation}")), "{method} {path}: {near:#}");
        let words = first["difference"].as_str().unwrap();
        assert!(words.contains(difference) && detail.contains(words), "{method} {path}: {detail}");
    }
    watch.unharmed();
}

#[test]
fn a_path_like_nothing_at_all_says_where_to_look() {
    let server = start();
    for path in ["/", "/favicon.ico", "/wp-admin/setup.php"] {
        let answer = server.get(path);
        let detail = answer.problem(404, "no-operation");
        assert_eq!(answer.json()["nearMisses"], json!([]), "{path}");
        assert!(detail.contains("/_standin"), "{detail}");
    }
}

#[test]
fn wrong_methods_are_405_with_allow() {
    let server = start();
    let watch = server.watch();
    for (path, allowed) in [
        ("/customers".to_owned(), "GET HEAD POST"),
        (format!("/customers/{FIRST}"), "DELETE GET HEAD PUT"),
        ("/customers/settings".to_owned(), "GET HEAD"),
        (format!("/customers/{FIRST}/update-payment-status"), "POST"),
    ] {
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PURGE", "get"] {
            if allowed.split(' ').any(|allowed| allowed == method) {
                continue;
            }
            let answer = server.api(method, &path, None);
            let detail = answer.problem(405, "method-not-allowed");
            assert!(detail.contains(method), "{detail}");
            let mut methods: Vec<&str> = answer.header("allow").unwrap().split(", ").collect();
            methods.sort_unstable();
            assert_eq!(methods.join(" "), allowed, "{method} {path}");
        }
    }
    watch.unharmed();
}

#[test]
fn a_lost_prefix_is_named_with_the_pack_it_belongs_to() {
    let (server, _folder) = two_packs();
    let watch = server.watch();
    for (method, path, operation) in [
        ("GET", "/customers".to_owned(), "list"),
        ("GET", "/api/customers".to_owned(), "list"),
        ("POST", "/customers".to_owned(), "create"),
        ("DELETE", format!("/customers/{FIRST}"), "delete"),
        ("GET", "/customers/settings".to_owned(), "settings"),
    ] {
        let answer = server.api(method, &path, None);
        let detail = answer.problem(404, "no-operation");
        assert!(detail.contains("the base URL lost its prefix `/reportei`"), "{detail}");
        let first = &answer.json()["nearMisses"][0];
        assert_eq!(
            (&first["pack"], &first["operation"]),
            (&json!("reportei"), &json!(format!("reportei/customers/{operation}")))
        );
        assert_eq!(first["difference"], "the path exists in pack `reportei`: the base URL lost its prefix `/reportei`");
    }
    watch.unharmed();
}

#[test]
fn the_pack_that_was_asked_is_named() {
    let (server, _folder) = two_packs();
    let answer = server.api("GET", "/pets/customers", None);
    let detail = answer.problem(404, "no-operation");
    assert!(detail.contains("pack `pets`"), "{detail}");
}

#[test]
fn the_root_of_several_packs_is_read_only() {
    let (server, _folder) = two_packs();
    assert_eq!(server.get("/").expect(200).json()["name"], "standin");
    let answer = server.call("POST", "/", &[JSON], "{}");
    answer.problem(405, "method-not-allowed");
    assert_eq!(answer.header("allow"), Some("GET, HEAD"));
}

#[test]
fn odd_paths_are_refused_and_never_normalised() {
    let server = start();
    let watch = server.watch();
    for path in [
        "//customers",
        "/customers//",
        "/./customers",
        "/../customers",
        "/customers/../customers",
        "/api/../customers",
        "/customers%2F",
        "/%2Fcustomers",
        "/customers%00",
        "/customers;a=b",
        "/%2e%2e/customers",
        "/customers\\settings",
        "/~default/../customers",
        "*",
        "/customers%3Fpage=1",
        "/%63ustomers",
    ] {
        let answer = server.api("GET", path, None);
        answer.problem(404, "no-operation");
    }
    for id in [
        ".",
        "..",
        "%00",
        "..%2F..",
        "%2e%2e",
        "a%2Fb",
        "%2Fetc%2Fpasswd",
        "%",
        "%zz",
        "%e2%82%ac",
        "€",
        "{{7*7}}",
        "%7B%7B7*7%7D%7D",
        "caedbbbe-7d93-476f-b965-bf97cd7ce874%00",
        "caedbbbe-7d93-476f-b965-bf97cd7ce874%2F",
        "..;",
        "null",
        "-1",
    ] {
        refused(&server.api("GET", &format!("/customers/{id}"), None), 404, "Customer not found.");
        refused(&server.api("DELETE", &format!("/customers/{id}"), None), 404, "Customer not found.");
    }
    for id in ["%ff", "%c0%ae%c0%ae", "%ed%a0%80"] {
        unreadable(&server.api("GET", &format!("/customers/{id}"), None), "not UTF-8");
    }
    // The id is compared after decoding, as every server does.
    server.api("GET", "/customers/%63aedbbbe-7d93-476f-b965-bf97cd7ce874", None).expect(200);
    watch.unharmed();
}

#[test]
fn odd_paths_of_the_control_plane_are_problems() {
    let server = start();
    let watch = server.watch();
    for path in [
        "/x",
        "//clock",
        "/../clock",
        "/../customers",
        "/clock/..",
        "/%63lock",
        "/state",
        "/state/reportei",
        "/journal/1/2",
        "/sandboxes/a/b",
        "/packs/reportei/x",
    ] {
        let answer = server.control("GET", path, None);
        let detail = answer.problem(404, "control-path-unknown");
        assert!(detail.contains("GET /_standin"), "{detail}");
    }
    for id in ["%00", "..", "%2e%2e%2fmerchant", "a%2Fb", "unknown"] {
        server.control("GET", &format!("/state/reportei/customer/{id}"), None).problem(404, "record-unknown");
        server.control("DELETE", &format!("/state/reportei/customer/{id}"), None).problem(404, "record-unknown");
    }
    server.control("GET", "/state/reportei/customer/%ff", None).problem(400, "path-unreadable");
    assert!(
        server
            .control("GET", "/state/reportei/customers", None)
            .problem(404, "resource-unknown")
            .contains("`customer`")
    );
    assert!(server.control("GET", "/state/reporte/customer", None).problem(404, "pack-unknown").contains("`reportei`"));
    server.control("GET", "/packs/reporte", None).problem(404, "pack-unknown");
    watch.unharmed();
}

#[test]
fn absolute_targets_are_taken_by_their_authority() {
    let server = start();
    let watch = server.watch();
    let url = server.url();
    let answer = server.api("GET", &format!("{url}/api/customers"), None).expect(200);
    assert_eq!(answer.json()["meta"]["path"], json!(format!("{url}/api/customers")));
    // A request that names two hosts is nobody's: one on the way may have gone by the other.
    let other = [REPORTEI, ("Host", "evil.example")];
    server.call("GET", &format!("{url}/customers"), &other, "").problem(400, "host-disagrees");
    server.call("GET", "http://evil.example/customers", &[REPORTEI], "").problem(400, "host-disagrees");
    server.call("GET", "http://evil.example/customers", &other, "").problem(403, "host-unknown");
    server.call("GET", "http://evil.example/_standin/clock", &other, "").problem(403, "host-unknown");
    watch.unharmed();
}
