//! Field errors in the known shape and wording, and what deployed senders may leave out.

use serde_json::json;

use crate::client::{SERVER, STATS, post, start};

/// What a deployed `InfluxDB` sends.
const DEPLOYED: &str = r#"[{"tags":null,"values":{"arch":"amd64","cluster_id":"4042909480400749287","num_databases":0,"num_measurements":0,"num_series":0,"os":"linux","uptime":0.014956847,"version":"1.6.7~rc0"}}]"#;

#[test]
fn a_server_names_each_blank_field() {
    let server = start();
    let all = json!({"errors": {
        "cluster_id": ["ClusterID can not be blank."],
        "server_id": ["ServerID can not be blank."],
        "host": ["Host can not be blank."],
        "product": ["Product can not be blank."],
        "version": ["Version can not be blank."],
    }});
    for blank in [
        "{}",
        r#"{"cluster_id":"","server_id":" ","host":"\t","product":null,"version":"\u00a0\n"}"#,
    ] {
        let answer = post(&server, "/api/v1/servers", blank);
        assert_eq!((answer.status, answer.json()), (422, all.clone()), "{blank}");
    }
    let one = r#"{"server_id":"s","host":"h","product":"p","version":"v"}"#;
    let answer = post(&server, "/api/v1/servers", one);
    assert_eq!(answer.status, 422);
    assert_eq!(answer.body, r#"{"errors":{"cluster_id":["ClusterID can not be blank."]}}"#);
    assert!(server.store().servers().read_all().unwrap().is_empty());
}

#[test]
fn stats_need_ids_and_a_name_in_each_item() {
    let server = start();
    let answer =
        post(&server, "/api/v1/stats/influxdb", r#"{"stats":[{"name":"a"},{},{"name":" "}]}"#);
    assert_eq!(answer.status, 422);
    assert_eq!(
        answer.json(),
        json!({"errors": {
            "cluster_id": ["ClusterID can not be blank."],
            "server_id": ["ServerID can not be blank."],
            "name": ["Name can not be blank."],
        }})
    );
    assert!(server.store().stats().read_all().unwrap().is_empty());
    let no_items = r#"{"cluster_id":"c","server_id":"s","stats":[]}"#;
    assert_eq!(post(&server, "/api/v1/stats/influxdb", no_items).status, 200);
}

#[test]
fn a_blank_product_in_the_path_is_a_field_error() {
    let server = start();
    for (target, body) in [("/api/v1/stats/%20", STATS), ("/api/v1/usage/%09", "[]")] {
        let answer = post(&server, target, body);
        assert_eq!(answer.status, 422);
        assert_eq!(answer.json(), json!({"errors": {"product": ["Product can not be blank."]}}));
    }
}

/// W59: a product stands in an index of each backend.
#[test]
fn w59_a_product_has_an_end() {
    let server = start();
    for (letter, status) in
        [("x".repeat(256), 201), ("x".repeat(257), 422), ("%C3%BC".repeat(256), 201)]
    {
        let answer = post(&server, &format!("/api/v1/usage/{letter}"), "[]");
        assert_eq!(answer.status, status, "{letter}");
    }
    let long = "x".repeat(4000);
    let words = json!({"product": ["Product can not be longer than 256 characters."]});
    for (target, body) in [("stats", STATS), ("usage", "[]")] {
        let answer = post(&server, &format!("/api/v1/{target}/{long}"), body);
        assert_eq!((answer.status, &answer.json()["errors"]), (422, &words), "{target}");
    }
    let body = SERVER.replace("\"influxdb\"", &format!("\"{long}\"")).replace("serv1", "");
    let answer = post(&server, "/api/v1/servers", body);
    assert_eq!(answer.status, 422);
    assert_eq!(answer.json()["errors"]["product"], words["product"]);
    assert_eq!(answer.json()["errors"]["server_id"][0], "ServerID can not be blank.");
    // What was stored before can be forgotten.
    let forget = r#"{"server_id":"0123456789abcdef","cluster_id":"c"}"#;
    assert_eq!(post(&server, &format!("/api/v1/forget/{long}"), forget).status, 200);
}

#[test]
fn the_body_of_a_deployed_sender_is_taken() {
    let server = start();
    assert_eq!(post(&server, "/api/v1/usage/influxdb", DEPLOYED).status, 201);
    let row = server.store().usage().read_all().unwrap().remove(0);
    let data = &row.report.data[0];
    assert!(data.tags.is_empty());
    assert_eq!(data.values.len(), 8);
    let stored = serde_json::to_value(&data.values).unwrap();
    let sent: serde_json::Value = serde_json::from_str(DEPLOYED).unwrap();
    assert_eq!(stored, sent[0]["values"]);
}

/// W8: what is empty may be null.
#[test]
fn null_is_taken_for_what_is_empty() {
    let server = start();
    for body in ["null", "[]", r#"[{"tags":null,"values":null}]"#, "[{}]"] {
        assert_eq!(post(&server, "/api/v1/usage/influxdb", body).status, 201, "{body}");
    }
    for body in [
        r#"{"cluster_id":"c","server_id":"s","stats":null}"#,
        r#"{"cluster_id":"c","server_id":"s","stats":[{"name":"engine","tags":null,"values":null}]}"#,
    ] {
        assert_eq!(post(&server, "/api/v1/stats/influxdb", body).status, 200, "{body}");
    }
}

/// W10: integers are exact up to the ends of u64 and i64.
#[test]
fn numbers_are_stored_as_they_came() {
    let server = start();
    let body =
        r#"[{"tags":{},"values":{"a":18446744073709551615,"b":-9223372036854775808,"c":0.1}}]"#;
    assert_eq!(post(&server, "/api/v1/usage/influxdb", body).status, 201);
    let row = server.store().usage().read_all().unwrap().remove(0);
    assert_eq!(serde_json::to_string(&row.report).unwrap(), body);
}

#[test]
fn a_body_that_can_not_be_read_says_where() {
    let server = start();
    for (target, body, position) in [
        ("/api/v1/servers", "", "line 1, column 0"),
        ("/api/v1/servers", "{\n  \"host\": oops\n}", "line 2, column 11"),
        ("/api/v1/servers", "[1]", "line 1"),
        ("/api/v1/servers", r#"{"cluster_id":7}"#, "line 1, column 15"),
        ("/api/v1/usage/influxdb", "{}", "line 1"),
        ("/api/v1/usage/influxdb", "[] trailing", "line 1, column 4"),
        ("/api/v1/stats/influxdb", "\u{feff}{}", "line 1"),
    ] {
        let answer = post(&server, target, body);
        assert_eq!(answer.status, 422, "{body}");
        let json = answer.json();
        let messages = json["errors"]["body"].as_array().unwrap();
        assert_eq!((json["errors"].as_object().unwrap().len(), messages.len()), (1, 1), "{json}");
        let message = messages[0].as_str().unwrap();
        let beginning = format!("The body can not be read at {position}");
        assert!(message.starts_with(&beginning), "{body}: {message}");
        // One sentence, whoever wrote the rest of it.
        assert!(message.ends_with('.') && !message.ends_with(".."), "{body}: {message}");
        assert_eq!(message.matches(" line ").count(), 1, "{body}: {message}");
    }
}

#[test]
fn a_body_nested_without_end_is_refused() {
    let server = start();
    let body = format!("[{{\"values\":{{\"a\":{}", "[".repeat(100_000));
    let answer = post(&server, "/api/v1/usage/influxdb", body);
    assert_eq!(answer.status, 422);
    assert!(answer.json()["errors"]["body"].is_array());
}
