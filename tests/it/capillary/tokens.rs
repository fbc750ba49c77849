//! Both ways to be known, and the token call.

use super::*;

#[test]
fn rule_basic_takes_the_md5_of_the_password_in_lower_case() {
    let server = start();
    let md5 = "8a16a6b70505eb1f1ff7cdc0cd5559a7";
    let basic = |pair: &str| format!("Basic {}", STANDARD.encode(pair));
    assert_eq!(basic(&format!("store.server:{md5}")), ADMIN.1, "the header of the page");
    for scheme in ["basic", "BASIC"] {
        let value = format!("{scheme} {}", &ADMIN.1["Basic ".len()..]);
        server.call("GET", SCOPES, &[("Authorization", &value)], "").expect(200);
    }
    harmless(&server, || {
        for value in [
            basic("store.server:server123"),
            basic(&format!("store.server:{}", md5.to_uppercase())),
            basic(&format!("store.server: {md5}")),
            basic(&format!("store.server:{md5} ")),
            basic(&format!("STORE.SERVER:{md5}")),
            basic(&format!("nobody:{md5}")),
            basic(&format!("1371622280_919866643044:{md5}")),
            basic(&format!(":{md5}")),
            basic("store.server:"),
            basic("store.server"),
            basic(""),
            format!("Basic store.server:{md5}"),
            format!("Bearer {}", &ADMIN.1["Basic ".len()..]),
            format!("Digest {}", &ADMIN.1["Basic ".len()..]),
            ADMIN.1["Basic ".len()..].to_owned(),
            "Basic".to_owned(),
            String::new(),
        ] {
            for (method, path, sent) in requests() {
                let answer = server.call(method, &path, &[("Authorization", &value), JSON], &sent);
                refused(&answer, 401, 401, WRONG_PASSWORD);
            }
        }
    });
}

/// All calls that need a caller, with bodies that would be accepted.
fn requests() -> Vec<(&'static str, String, String)> {
    vec![
        ("GET", SCOPES.to_owned(), String::new()),
        ("GET", CLIENTS.to_owned(), String::new()),
        ("POST", CLIENTS.to_owned(), body().to_string()),
        ("GET", own(FIRST), String::new()),
        ("PUT", own(FIRST), body().to_string()),
        ("DELETE", own(FIRST), String::new()),
    ]
}

#[test]
fn rule_every_call_but_the_token_call_needs_a_caller() {
    let server = start();
    harmless(&server, || {
        for (method, path, sent) in requests() {
            refused(&server.call(method, &path, &[JSON], &sent), 401, 401, WRONG_PASSWORD);
        }
    });
    generate(&server, FOREIGN, FOREIGN_SECRET).expect(200);
}

#[test]
fn rule_a_token_has_the_documented_header_and_claims() {
    let server = start();
    let made = create(&server, with("expirationTokenTime", json!(90)));
    let answer = generate(&server, text(&made, "clientKey"), text(&made, "clientSecret")).expect(200);
    let body = answer.json();
    assert_eq!((keys(&body), keys(&body["data"])), (vec!["data", "errors"], vec!["accessToken", "ttlSeconds"]));
    assert_eq!((&body["data"]["ttlSeconds"], &body["errors"]), (&json!(90), &Json::Null));
    let token = text(&body["data"], "accessToken");
    assert_eq!(part(token, 0), json!({ "kid": "k1", "alg": "RS256" }));
    let claims = part(token, 1);
    let jti = text(&claims, "jti").to_owned();
    assert!(jti.len() == 22 && jti.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{jti}");
    // 2024-10-01T17:15:12Z
    let iat = 1_727_802_912;
    assert_eq!(
        claims.to_string(),
        json!({
            "iss": "Capillary", "exp": iat + 90, "jti": jti, "iat": iat, "sub": "NewName3", "client_id": made["id"],
            "org_id": 1, "token_use": "token_access",
        })
        .to_string(),
        "in the order of the page"
    );
    // And the signature is that of the published key.
    let (message, signature) = token.rsplit_once('.').unwrap();
    let pair = key_pair(PUBLISHED);
    signature::UnparsedPublicKey::new(&signature::RSA_PKCS1_2048_8192_SHA256, pair.public().as_ref())
        .verify(message.as_bytes(), &URL_SAFE_NO_PAD.decode(signature).unwrap())
        .unwrap();
}

/// The token that the page shows has these claims; ours of the same client and instant has them too.
#[test]
fn the_documented_token_is_given_to_the_documented_client() {
    let server = start();
    server.control("PUT", "/clock", Some(json!({ "now": "2019-12-02T06:59:30Z" }))).expect(200);
    let shown = fs::read_to_string(repository("fixtures/capillary/oauth/generate.200.json")).unwrap();
    let shown: Json = serde_json::from_str(&shown).unwrap();
    let ours = generate(&server, FOREIGN, FOREIGN_SECRET).expect(200).json();
    assert_eq!(ours["data"]["ttlSeconds"], shown["data"]["ttlSeconds"]);
    let [ours, shown] = [ours, shown].map(|body| text(&body["data"], "accessToken").to_owned());
    assert_eq!(part(&ours, 0), part(&shown, 0));
    // A character of the claim `jti` was lost on the page's way to us; what stands there is no JSON.
    let claims = shown.split('.').nth(1).unwrap();
    let shown = String::from_utf8(URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap().replace('\u{4}', "");
    let (ours, shown): (Json, Json) = (part(&ours, 1), serde_json::from_str(&shown).unwrap());
    assert_eq!(keys(&ours), keys(&shown));
    for key in keys(&shown).into_iter().filter(|key| *key != "jti") {
        assert_eq!(ours[key], shown[key], "{key}");
    }
}

#[test]
fn rule_every_call_gives_another_token_and_all_of_them_work() {
    let server = start();
    let made = create(&server, body());
    let tokens: Vec<String> = (0..4).map(|_| token(&server, &made)).collect();
    for (at, token) in tokens.iter().enumerate() {
        assert!(!tokens[..at].contains(token));
        call_with(&server, token, "GET", SCOPES, None).expect(200);
    }
}

#[test]
fn rule_a_token_lives_as_long_as_its_client_says_and_not_a_second_more() {
    let server = start();
    let made = create(&server, with("expirationTokenTime", json!(30)));
    let first = token(&server, &made);
    advance(&server, "29s 999ms");
    call_with(&server, &first, "GET", CLIENTS, None).expect(200);
    // Whose life is changed later is not this token.
    update(&server, text(&made, "clientKey"), with("expirationTokenTime", json!(3600))).expect(200);
    let second = token(&server, &made);
    advance(&server, "1ms");
    refused(&call_with(&server, &first, "GET", CLIENTS, None), 401, 401, WRONG_TOKEN);
    call_with(&server, &second, "GET", CLIENTS, None).expect(200);
    advance(&server, "1h");
    refused(&call_with(&server, &second, "GET", CLIENTS, None), 401, 401, WRONG_TOKEN);
    // One that ran out is replaced by asking again.
    call_with(&server, &token(&server, &made), "GET", CLIENTS, None).expect(200);
}

#[test]
fn a_wrong_key_and_a_wrong_secret_are_not_told_apart() {
    let server = start();
    let made = create(&server, body());
    let (key, secret) = (text(&made, "clientKey"), text(&made, "clientSecret"));
    harmless(&server, || {
        for (key, secret) in [
            (UNKNOWN, secret),
            (key, "x"),
            (key, ""),
            ("", ""),
            (key, FOREIGN_SECRET),
            (FOREIGN, secret),
            (key, key),
            (&key[1..], secret),
            (key, &secret[1..]),
            (&format!(" {key}"), secret),
            (&key.to_lowercase(), secret),
        ] {
            refused(&generate(&server, key, secret), 401, 401, NO_TOKEN);
        }
    });
}

#[test]
fn tokens_that_are_tampered_with_or_signed_by_others_are_401() {
    let server = start();
    let made = create(&server, body());
    let good = token(&server, &made);
    let (header, claims) = (part(&good, 0), part(&good, 1));
    let changed = |key: &str, value: Json| {
        let mut claims = claims.clone();
        claims[key] = value;
        claims
    };
    // A token that we sign with the published key is as good as one of the server's.
    call_with(&server, &signed(&header, &claims, PUBLISHED), "GET", SCOPES, None).expect(200);
    let parts: Vec<&str> = good.split('.').collect();
    let coded = |part: &Json| URL_SAFE_NO_PAD.encode(part.to_string());
    let none = coded(&json!({ "kid": "k1", "alg": "none" }));
    let mut bad = vec![
        String::new(),
        "x".to_owned(),
        "..".to_owned(),
        format!("{}.{}.", parts[0], parts[1]),
        format!("{}.{}", parts[0], parts[1]),
        format!("{good}.{}", parts[2]),
        format!("{none}.{}.", parts[1]),
        format!("{none}.{}.{}", parts[1], parts[2]),
        format!("{}.{}.{}", parts[0], coded(&changed("exp", json!(4_000_000_000_u64))), parts[2]),
        format!("{}.{}.{}", parts[0], coded(&changed("client_id", json!(867))), parts[2]),
        format!("Bearer {good}"),
        signed(&header, &claims, OTHER_KEY),
    ];
    // Well signed, and not what the token call gives.
    for (key, value) in [
        ("exp", json!(1_727_802_912)),
        ("exp", json!("4000000000")),
        ("exp", json!(null)),
        ("client_id", json!(99)),
        ("client_id", json!("880")),
        ("client_id", json!(null)),
        ("org_id", json!(1115)),
        ("token_use", json!("token_refresh")),
    ] {
        bad.push(signed(&header, &changed(key, value), PUBLISHED));
    }
    for key in ["exp", "client_id", "org_id", "token_use"] {
        let mut claims = claims.clone();
        claims.as_object_mut().unwrap().shift_remove(key);
        bad.push(signed(&header, &claims, PUBLISHED));
    }
    for claims in [json!([]), json!("x"), json!(null)] {
        bad.push(signed(&header, &claims, PUBLISHED));
    }
    harmless(&server, || {
        for token in &bad {
            for (method, path, sent) in requests() {
                let answer = server.call(method, &path, &[(TOKEN, token), JSON], &sent);
                refused(&answer, 401, 401, WRONG_TOKEN);
            }
        }
        // The right token where other APIs have it.
        let bearer = format!("Bearer {good}");
        refused(&server.call("GET", SCOPES, &[("Authorization", &bearer)], ""), 401, 401, WRONG_PASSWORD);
        refused(&server.call("GET", SCOPES, &[("CAP-API-ACCESS-TOKEN", &good)], ""), 401, 401, WRONG_PASSWORD);
    });
}

#[test]
fn either_credential_is_enough_beside_a_wrong_one() {
    let server = start();
    let token = full_token(&server);
    server.call("GET", SCOPES, &[ADMIN, (TOKEN, "x")], "").expect(200);
    server.call("GET", SCOPES, &[("Authorization", "Basic x"), (TOKEN, &token)], "").expect(200);
}

#[test]
fn a_token_may_be_used_to_manage_clients_even_its_own() {
    let server = start();
    let made = create(&server, body());
    let own_token = token(&server, &made);
    let path = own(text(&made, "clientKey"));
    let second = call_with(&server, &own_token, "POST", CLIENTS, Some(body())).expect(200).json()["data"].clone();
    assert_eq!(second["id"], 881);
    call_with(&server, &own_token, "PUT", &path, Some(with("name", json!("Myself")))).expect(200);
    call_with(&server, &own_token, "DELETE", &path, None).expect(200);
    refused(&call_with(&server, &own_token, "GET", &path, None), 401, 401, WRONG_TOKEN);
}
