//! Names as long as they may be: each stands in an index.

use std::fmt::Write as _;

use usage_server::{Erasure, StoreError};

use crate::cases::status;
use crate::client::{Request, post};
use crate::target::Target;

/// What no index makes shorter by packing it: letters of four bytes, in no order.
pub(crate) fn letters(count: usize) -> String {
    let mut state: u32 = 1;
    let letter = |_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        char::from_u32(0x2_0000 + (state >> 16) % 0xa000).unwrap()
    };
    (0..count).map(letter).collect()
}

fn escaped(text: &str) -> String {
    text.bytes().fold(String::new(), |mut all, byte| {
        write!(all, "%{byte:02X}").unwrap();
        all
    })
}

/// One more character, and all backends refuse it in the same words.
pub(crate) fn the_longest_names_are_taken(target: &Target) {
    let server = target.start();
    let organisation = letters(254);
    let token = server.create_token(&organisation).unwrap();
    let error = server.create_token(&letters(255)).unwrap_err();
    assert!(matches!(error, StoreError::LongOrganisation { most: 254, .. }), "{error:?}");
    assert!(error.to_string().contains("254 characters"), "{error}");
    assert_eq!(status(&server, &token), 201);

    let id = letters(10_000);
    let body = format!(r#"[{{"tags":{{"server_id":"{id}"}}}},{{"tags":{{"server_id":"{id}x"}}}}]"#);
    let report = |product: usize, key: usize| {
        let path = format!("/api/v1/usage/{}", escaped(&letters(product)));
        Request::post(&path, &*body).key(&"~".repeat(key)).send(&server).status
    };
    assert_eq!((report(256, 256), report(256, 256)), (201, 201));
    assert_eq!((report(257, 1), report(1, 257)), (422, 422));
    let rows = server.store().usage().read_all().unwrap();
    assert_eq!(rows.len(), 2, "the key was known");
    assert_eq!(rows[1].report.product, letters(256));
    let server_body = format!(
        r#"{{"cluster_id":"{id}","server_id":"{id}y","host":"{id}","product":"p","version":"{id}"}}"#
    );
    assert_eq!(post(&server, "/api/v1/servers", server_body).status, 201);
    for (id, reports) in [(format!("{id}x"), 1), (id, 1)] {
        assert_eq!(server.store().erase(&Erasure::Instance(id)).unwrap().reports, reports);
    }
    assert_eq!(server.store().remove_organisation(&organisation).unwrap(), 1);
}
