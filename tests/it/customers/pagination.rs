//! Section 3.2: pagination.

use super::*;

// ---- 3.2: pagination ----

/// A server whose merchant has customers `00` to `NN` besides the two documented ones, a minute apart.
fn crowded(count: usize) -> Server {
    let server = start();
    for number in 0..count {
        advance(&server, "1m");
        create(&server, &format!("{number:02}"));
    }
    server
}

fn list(server: &Server, query: &str) -> Json {
    server.api("GET", &format!("/customers?{query}"), None).expect(200).json()
}

fn window(list: &Json) -> [Json; 6] {
    ["current_page", "from", "to", "last_page", "per_page", "total"].map(|key| list["meta"][key].clone())
}

#[test]
fn list_has_fifteen_on_a_page_unless_told_otherwise() {
    let server = crowded(15);
    let first = list(&server, "");
    assert_eq!(window(&first), [json!(1), json!(1), json!(15), json!(2), json!(15), json!(17)]);
    assert_eq!(names(&first)[..3], ["Reportei Customer 1", "Reportei Customer 2", "00"]);
    let second = list(&server, "page=2");
    assert_eq!(window(&second), [json!(2), json!(16), json!(17), json!(2), json!(15), json!(17)]);
    assert_eq!(names(&second), ["13", "14"]);
}

#[test]
fn list_takes_per_page_from_1_to_100() {
    let server = crowded(5);
    for (query, shown, expected) in [
        ("per_page=1", 1, [json!(1), json!(1), json!(1), json!(7), json!(1), json!(7)]),
        ("per_page=3", 3, [json!(1), json!(1), json!(3), json!(3), json!(3), json!(7)]),
        ("per_page=3&page=3", 1, [json!(3), json!(7), json!(7), json!(3), json!(3), json!(7)]),
        ("per_page=7", 7, [json!(1), json!(1), json!(7), json!(1), json!(7), json!(7)]),
        ("per_page=100", 7, [json!(1), json!(1), json!(7), json!(1), json!(100), json!(7)]),
    ] {
        let list = list(&server, query);
        assert_eq!((window(&list), names(&list).len()), (expected, shown), "{query}");
    }
}

#[test]
fn list_pages_together_hold_everybody_once() {
    let server = crowded(9);
    for size in [1, 2, 4, 11] {
        let mut seen = Vec::new();
        let last = list(&server, &format!("per_page={size}"))["meta"]["last_page"].as_u64().unwrap();
        for page in 1..=last {
            let list = list(&server, &format!("per_page={size}&page={page}"));
            seen.extend(names(&list).into_iter().map(str::to_owned));
        }
        let whole = list(&server, "per_page=100");
        assert_eq!(seen, names(&whole), "pages of {size}");
    }
}

#[test]
fn list_beyond_the_last_page_is_empty_with_from_and_to_null() {
    let server = start();
    for page in ["2", "1000", "9223372036854775807"] {
        let list = list(&server, &format!("page={page}"));
        assert_eq!(list["data"], json!([]));
        let number: u64 = page.parse().unwrap();
        assert_eq!(window(&list), [json!(number), Json::Null, Json::Null, json!(1), json!(15), json!(2)]);
    }
}

#[test]
fn list_without_customers_has_one_empty_page() {
    let server = start();
    server.api_as(ACME, "DELETE", &format!("/customers/{FOREIGN}"), None).expect(200);
    let list = server.api_as(ACME, "GET", "/customers", None).expect(200).json();
    assert_eq!(list["data"], json!([]));
    assert_eq!(window(&list), [json!(1), Json::Null, Json::Null, json!(1), json!(15), json!(0)]);
}

#[test]
fn list_sorts_by_every_field_in_both_directions() {
    let server = crowded(6);
    // Names and payment status that do not follow the order of creation.
    let all = list(&server, "per_page=100")["data"].as_array().unwrap().clone();
    for (customer, name) in all.iter().zip(["f", "b", "a", "g", "c", "h", "e", "d"]) {
        advance(&server, "1m");
        let path = format!("/customers/{}", text(customer, "uuid"));
        server.api("PUT", &path, Some(json!({ "name": name }))).expect(200);
        if ["a", "c", "h"].contains(&name) {
            server
                .api("POST", &format!("{path}/update-payment-status"), Some(json!({ "is_paying": true })))
                .expect(200);
        }
    }
    let created = list(&server, "per_page=100")["data"].as_array().unwrap().clone();
    for field in KEYS {
        let value = |customer: &Json| match &customer[field] {
            Json::Bool(bool) => bool.to_string(),
            other => other.as_str().unwrap().to_owned(),
        };
        // Equal values keep the order of creation, whichever way the list is sorted.
        let mut ascending = created.clone();
        ascending.sort_by_key(value);
        let mut descending = created.clone();
        descending.sort_by_key(|customer| std::cmp::Reverse(value(customer)));
        for (query, expected, word) in [
            (format!("sortBy={field}"), &ascending, false),
            (format!("sortBy={field}&descending=false"), &ascending, false),
            (format!("sortBy={field}&descending=true"), &descending, true),
            (format!("sortBy={field}&descending=1"), &descending, true),
        ] {
            let list = list(&server, &query);
            assert_eq!(list["data"].as_array().unwrap(), expected, "{query}");
            assert_eq!((&list["meta"]["sortBy"], &list["meta"]["descending"]), (&json!(field), &json!(word)));
            let page = self::list(&server, &format!("{query}&per_page=3&page=2"));
            assert_eq!(page["data"].as_array().unwrap(), &expected[3..6], "{query}, second page of three");
        }
    }
}

#[test]
fn list_descending_alone_turns_the_order_of_creation() {
    let server = crowded(2);
    let list = list(&server, "descending=true");
    assert_eq!(names(&list), ["01", "00", "Reportei Customer 2", "Reportei Customer 1"]);
    assert_eq!((&list["meta"]["sortBy"], &list["meta"]["descending"]), (&Json::Null, &json!(true)));
}

#[test]
fn list_refuses_numbers_and_fields_that_cannot_be() {
    let server = start();
    for (query, field, message) in [
        ("per_page=0", "per_page", "The per page field must be at least 1."),
        ("per_page=-1", "per_page", "The per page field must be at least 1."),
        ("per_page=101", "per_page", "The per page field must not be greater than 100."),
        ("per_page=1000000000", "per_page", "The per page field must not be greater than 100."),
        ("per_page=1e9", "per_page", "The per page field must be an integer."),
        ("per_page=1.5", "per_page", "The per page field must be an integer."),
        ("per_page=abc", "per_page", "The per page field must be an integer."),
        ("per_page=", "per_page", "The per page field must be an integer."),
        ("per_page=99999999999999999999", "per_page", "The per page field must be an integer."),
        ("page=0", "page", "The page field must be at least 1."),
        ("page=abc", "page", "The page field must be an integer."),
        ("sortBy=api_token", "sortBy", "The selected sortBy is invalid."),
        ("sortBy=merchant_uuid", "sortBy", "The selected sortBy is invalid."),
        ("sortBy=Name", "sortBy", "The selected sortBy is invalid."),
        ("descending=down", "descending", "The descending field must be true or false."),
    ] {
        let body = server.api("GET", &format!("/customers?{query}"), None).expect(422).json();
        assert_eq!(body, json!({ "message": message, "errors": { field: [message] } }), "{query}");
    }
    let both = server.api("GET", "/customers?per_page=0&sortBy=x", None).expect(422).json();
    assert_eq!(keys(&both["errors"]).into_iter().collect::<BTreeSet<_>>(), BTreeSet::from(["per_page", "sortBy"]));
}

#[test]
fn list_takes_the_last_of_a_parameter_given_twice() {
    let server = start();
    assert_eq!(list(&server, "per_page=1&per_page=2")["meta"]["per_page"], 2);
}
