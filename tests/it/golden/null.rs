//! Where the Go client writes `null` for what is empty (W8).

use testkit::json::Json;

/// Whether two bodies are the same, but for `null` there and an empty list or map here; `Some(true)`
/// if there is such a place.
pub(super) fn same_but_for_empty(go: &Json, ours: &Json) -> Option<bool> {
    match (go, ours) {
        (Json::List(go), Json::List(ours)) => all(go.iter().zip(ours), go.len() == ours.len()),
        (Json::Map(go), Json::Map(ours)) => {
            let keys = |map: &[(String, Json)]| map.iter().map(|(key, _)| key.clone()).collect();
            let same: [Vec<String>; 2] = [keys(go), keys(ours)];
            all(go.iter().zip(ours).map(|((_, go), (_, ours))| (go, ours)), same[0] == same[1])
        }
        (Json::Null, Json::List(list)) if list.is_empty() => Some(true),
        (Json::Null, Json::Map(map)) if map.is_empty() => Some(true),
        _ => (go == ours).then_some(false),
    }
}

fn all<'a>(pairs: impl Iterator<Item = (&'a Json, &'a Json)>, same: bool) -> Option<bool> {
    let mut empty = false;
    for (go, ours) in pairs {
        empty |= same_but_for_empty(go, ours)?;
    }
    same.then_some(empty)
}
