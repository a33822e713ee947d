//! Payloads as plain data: what a caller may hand to the core, and what must come out.

use usage_proto::{
    Forget, Payload, Server, Stats, StatsData, Tags, Usage, UsageData, Value, Values,
};

use super::own::Own;
use crate::json::Json;

/// One call of the core's encoder.
#[derive(Debug, Clone)]
pub struct Input {
    /// What is saved.
    pub call: Call,
    /// A request limit to try beside those that are close to the body's length.
    pub limit: u16,
}

/// What is saved.
#[derive(Debug, Clone)]
pub enum Call {
    /// A `Server` with the fields in the order in which they are declared.
    Server([String; 5]),
    /// `Stats`.
    Stats {
        /// The segment of the path.
        product: String,
        /// A field of the body.
        cluster_id: String,
        /// A field of the body.
        server_id: String,
        /// The groups.
        groups: Vec<Group>,
    },
    /// `Usage`.
    Usage {
        /// The segment of the path.
        product: String,
        /// The groups; their names are not used.
        groups: Vec<Group>,
    },
    /// `Forget`, with its product, cluster and server.
    Forget([String; 3]),
    /// A type of the application's own.
    Own {
        /// The segments of the path.
        segments: Vec<String>,
        /// The body.
        body: Own,
    },
}

/// A group of values.
#[derive(Debug, Clone)]
pub struct Group {
    /// The name of a group of `Stats`.
    pub name: String,
    /// The tags in the order of insertion; a repeated key counts once.
    pub tags: Vec<(String, String)>,
    /// The values in the order of insertion; a repeated key counts once.
    pub values: Vec<(String, Tree)>,
}

/// A value of a built-in payload.
#[derive(Debug, Clone)]
pub enum Tree {
    /// `null`.
    Null,
    /// A boolean.
    Bool(bool),
    /// An integer that is not negative.
    Unsigned(u64),
    /// An integer.
    Signed(i64),
    /// A float, not finite ones included.
    Float(f64),
    /// A short float.
    Float32(f32),
    /// A text.
    Text(String),
    /// A list.
    List(Vec<Self>),
    /// A map in the order of insertion; a repeated key counts once.
    Map(Vec<(String, Self)>),
    /// So many lists around a value: nesting without a large input.
    Nest(u8, Box<Self>),
}

/// The order in which maps are filled.
#[derive(Debug, Clone, Copy)]
pub enum Order {
    /// As the input has it.
    Given,
    /// From its end.
    Reversed,
}

/// The path to a number that JSON cannot write, which is what the encoder must name.
pub type NotFinite = String;

impl Call {
    /// The segments of the path below `/api/v1/`.
    #[must_use]
    pub fn segments(&self) -> Vec<&str> {
        match self {
            Self::Server(_) => vec!["servers"],
            Self::Stats { product, .. } => vec!["stats", product],
            Self::Usage { product, .. } => vec!["usage", product],
            Self::Forget([product, ..]) => vec!["forget", product],
            Self::Own { segments, .. } => segments.iter().map(String::as_str).collect(),
        }
    }

    /// The payload, if it is one of the core's own.
    #[must_use]
    pub fn payload(&self, order: Order) -> Option<Payload> {
        Some(match self {
            Self::Server([cluster_id, server_id, host, product, version]) => Payload::Server(
                Server::new()
                    .cluster_id(cluster_id)
                    .server_id(server_id)
                    .host(host)
                    .product(product)
                    .version(version),
            ),
            Self::Stats { product, cluster_id, server_id, groups } => {
                let stats = Stats::new(product).cluster_id(cluster_id).server_id(server_id);
                Payload::Stats(groups.iter().fold(stats, |stats, group| {
                    let mut data = StatsData::new(&group.name);
                    data.tags = tags(&group.tags, order);
                    data.values = values(&group.values, order);
                    stats.data(data)
                }))
            }
            Self::Usage { product, groups } => {
                Payload::Usage(groups.iter().fold(Usage::new(product), |usage, group| {
                    let mut data = UsageData::new();
                    data.tags = tags(&group.tags, order);
                    data.values = values(&group.values, order);
                    usage.data(data)
                }))
            }
            Self::Forget([product, cluster_id, server_id]) => {
                Payload::Forget(Forget::new(product).cluster_id(cluster_id).server_id(server_id))
            }
            Self::Own { .. } => return None,
        })
    }

    /// The body as JSON, its keys in the order in which they must stand (W11).
    ///
    /// # Errors
    ///
    /// The path to the first number that is not finite (W9).
    pub fn body(&self) -> Result<Json, NotFinite> {
        let text = |text: &String| Json::Text(text.clone());
        Ok(match self {
            Self::Server(fields) => {
                let keys = ["cluster_id", "server_id", "host", "product", "version"];
                Json::Map(
                    keys.map(str::to_owned).into_iter().zip(fields.iter().map(text)).collect(),
                )
            }
            Self::Stats { cluster_id, server_id, groups, .. } => {
                let mut list = Vec::new();
                for (index, group) in groups.iter().enumerate() {
                    let mut map = vec![("name".to_owned(), text(&group.name))];
                    map.extend(group.body(&format!("stats[{index}]"))?);
                    list.push(Json::Map(map));
                }
                Json::Map(vec![
                    ("cluster_id".to_owned(), text(cluster_id)),
                    ("server_id".to_owned(), text(server_id)),
                    ("stats".to_owned(), Json::List(list)),
                ])
            }
            Self::Usage { groups, .. } => {
                let mut list = Vec::new();
                for (index, group) in groups.iter().enumerate() {
                    list.push(Json::Map(group.body(&format!("[{index}]"))?.into()));
                }
                Json::List(list)
            }
            Self::Forget([_, cluster_id, server_id]) => Json::Map(vec![
                ("cluster_id".to_owned(), text(cluster_id)),
                ("server_id".to_owned(), text(server_id)),
            ]),
            Self::Own { body, .. } => body.json("")?,
        })
    }
}

impl Group {
    fn body(&self, path: &str) -> Result<[(String, Json); 2], NotFinite> {
        let tags = sorted(&self.tags).into_iter();
        let tags = tags.map(|(key, value)| (key.clone(), Json::Text(value.clone()))).collect();
        let values = map_json(&self.values, &format!("{path}.values"))?;
        Ok([("tags".to_owned(), Json::Map(tags)), ("values".to_owned(), values)])
    }
}

impl Tree {
    /// The value as a caller builds it.
    #[must_use]
    pub fn value(&self, order: Order) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Bool(value) => (*value).into(),
            Self::Unsigned(value) => (*value).into(),
            Self::Signed(value) => (*value).into(),
            Self::Float(value) => (*value).into(),
            Self::Float32(value) => (*value).into(),
            Self::Text(text) => text.as_str().into(),
            Self::List(list) => Value::List(list.iter().map(|tree| tree.value(order)).collect()),
            Self::Map(map) => Value::Map(values(map, order)),
            Self::Nest(levels, inner) => {
                (0..*levels).fold(inner.value(order), |value, _| Value::List(vec![value]))
            }
        }
    }

    fn json(&self, path: &str) -> Result<Json, NotFinite> {
        Ok(match self {
            Self::Null => Json::Null,
            Self::Bool(value) => Json::Bool(*value),
            Self::Unsigned(value) => Json::Integer((*value).into()),
            Self::Signed(value) => Json::Integer((*value).into()),
            Self::Float(value) => float(*value, path)?,
            Self::Float32(value) => float32(*value, path)?,
            Self::Text(text) => Json::Text(text.clone()),
            Self::List(list) => list_json(list, path, Self::json)?,
            Self::Map(map) => map_json(map, path)?,
            Self::Nest(levels, inner) => {
                let inside = format!("{path}{}", "[0]".repeat(usize::from(*levels)));
                (0..*levels).fold(inner.json(&inside)?, |json, _| Json::List(vec![json]))
            }
        })
    }
}

/// A float as JSON.
///
/// # Errors
///
/// Its path, if it is not finite.
pub(super) fn float(value: f64, path: &str) -> Result<Json, NotFinite> {
    if value.is_finite() { Ok(Json::Float(value)) } else { Err(path.to_owned()) }
}

/// A short float as JSON.
///
/// # Errors
///
/// Its path, if it is not finite.
pub(super) fn float32(value: f32, path: &str) -> Result<Json, NotFinite> {
    if value.is_finite() { Ok(Json::Float32(value)) } else { Err(path.to_owned()) }
}

/// A list as JSON, each element with its index in the path.
pub(super) fn list_json<T>(
    list: &[T],
    path: &str,
    json: fn(&T, &str) -> Result<Json, NotFinite>,
) -> Result<Json, NotFinite> {
    let elements = list.iter().enumerate();
    Ok(Json::List(
        elements
            .map(|(i, element)| json(element, &format!("{path}[{i}]")))
            .collect::<Result<_, _>>()?,
    ))
}

/// A path with one more key, in quotes if it could be taken for something else.
pub(super) fn below(path: &str, key: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | ':' | '/' | ' ');
    if key.is_empty() || !key.chars().all(plain) {
        format!("{path}[{key:?}]")
    } else if path.is_empty() {
        key.to_owned()
    } else {
        format!("{path}.{key}")
    }
}

fn map_json(map: &[(String, Tree)], path: &str) -> Result<Json, NotFinite> {
    let mut entries = Vec::new();
    for (key, tree) in sorted(map) {
        entries.push((key.clone(), tree.json(&below(path, key))?));
    }
    Ok(Json::Map(entries))
}

/// The entries without the repeated keys' later ones.
fn distinct<V>(map: &[(String, V)]) -> Vec<&(String, V)> {
    let mut seen = std::collections::HashSet::new();
    map.iter().filter(|(key, _)| seen.insert(key)).collect()
}

/// In the order of the keys' bytes.
fn sorted<V>(map: &[(String, V)]) -> Vec<&(String, V)> {
    let mut entries = distinct(map);
    entries.sort_by_key(|(key, _)| key.as_bytes());
    entries
}

fn ordered<V>(map: &[(String, V)], order: Order) -> Vec<&(String, V)> {
    let mut entries = distinct(map);
    if matches!(order, Order::Reversed) {
        entries.reverse();
    }
    entries
}

fn tags(map: &[(String, String)], order: Order) -> Tags {
    ordered(map, order).into_iter().map(|(key, value)| (key, value)).collect()
}

fn values(map: &[(String, Tree)], order: Order) -> Values {
    ordered(map, order).into_iter().map(|(key, tree)| (key, tree.value(order))).collect()
}
