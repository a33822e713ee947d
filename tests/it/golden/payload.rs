//! The Go values of the fixture as a Rust program would have them.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::Request;
use serde::{Serialize, Serializer};
use serde_json::Value as Given;
use serde_json::value::RawValue;
use usage_proto::{
    Api, BuildError, Saveable, Server, Stats, StatsData, Tags, Usage, UsageData, Value, Values,
};

/// A payload to send.
pub(super) struct Built {
    /// The segments of its path.
    pub(super) segments: Vec<String>,
    /// The path to a number in it that is not finite.
    pub(super) not_finite: Option<String>,
    /// Whether a text in it was no UTF-8, and stands in it as well as it can.
    pub(super) mended: bool,
    build: Box<Build>,
}

type Build = dyn Fn(&Api) -> Result<Request<Bytes>, BuildError>;

impl Built {
    pub(super) fn request(&self, api: &Api) -> Result<Request<Bytes>, BuildError> {
        (self.build)(api)
    }
}

/// Why a payload cannot be built.
pub(super) enum Fault {
    /// Go has a value that Rust has not.
    NoSuchValue(&'static str),
    /// The fixture says something that is not known here.
    Unknown(String),
}

/// Builds what the fixture describes.
pub(super) fn build(given: &Given) -> Result<Built, Fault> {
    let mut notes = Notes::default();
    let kind = given["t"].as_str().unwrap_or_default();
    Ok(match kind {
        "Server" => notes.built(server(given)),
        "Stats" => {
            let stats = stats(given, &mut notes)?;
            notes.built(stats)
        }
        "Usage" => {
            if let Some(built) = usage_of_own_type(given)? {
                return Ok(built);
            }
            let usage = usage(given, &mut notes)?;
            notes.built(usage)
        }
        "go:main.rawPath" => notes.built(RawPath { path: "/x/" }),
        "nil" => return Err(Fault::NoSuchValue("a payload is never absent")),
        other => return Err(Fault::Unknown(format!("a payload of the type {other}"))),
    })
}

#[derive(Default)]
struct Notes {
    not_finite: Option<String>,
    mended: bool,
}

impl Notes {
    fn built<P: Saveable + 'static>(self, payload: P) -> Built {
        let segments =
            payload.segments().into_iter().map(|text| text.as_ref().to_owned()).collect();
        Built {
            segments,
            not_finite: self.not_finite,
            mended: self.mended,
            // Through a reference, as the Go client takes pointers.
            build: Box::new(move |api| api.build_request(&&payload)),
        }
    }

    /// A text; bytes that are no UTF-8 are replaced as every Rust program replaces them.
    fn text(&mut self, given: &Given) -> Result<String, Fault> {
        if let Some(text) = given.as_str() {
            return Ok(text.to_owned());
        }
        let encoded = given["b64"].as_str().ok_or_else(|| unknown(given))?;
        let bytes = STANDARD.decode(encoded).map_err(|_| unknown(given))?;
        self.mended = true;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    fn tags(&mut self, given: &Given) -> Result<Tags, Fault> {
        let mut tags = Tags::new();
        for [key, value] in entries(given)? {
            tags.insert(self.text(key)?, self.text(value)?);
        }
        Ok(tags)
    }

    fn values(&mut self, given: &Given, path: &str) -> Result<Values, Fault> {
        let mut values = Values::new();
        for [key, value] in entries(given)? {
            let key = self.text(key)?;
            let value = self.value(value, &format!("{path}.{key}"))?;
            values.insert(key, value);
        }
        Ok(values)
    }

    fn value(&mut self, given: &Given, path: &str) -> Result<Value, Fault> {
        if let Some(text) = given.as_str() {
            return Ok(text.into());
        }
        let no_such = |why| Err(Fault::NoSuchValue(why));
        let text = given["v"].as_str().unwrap_or_default();
        let bits = || u64::from_str_radix(given["bits"].as_str().unwrap_or_default(), 16).unwrap();
        Ok(match given["t"].as_str().unwrap_or_default() {
            "bytes" => self.text(given)?.into(),
            "int" | "int64" | "go:int8" => text.parse::<i64>().unwrap().into(),
            "uint64" => text.parse::<u64>().unwrap().into(),
            "float64" => {
                let float = f64::from_bits(bits());
                if !float.is_finite() {
                    self.not_finite = Some(path.to_owned());
                }
                float.into()
            }
            "float32" => f32::from_bits(u32::try_from(bits()).unwrap()).into(),
            "bool" => given["v"].as_bool().unwrap().into(),
            "map" => Value::Map(self.values(given, path)?),
            "nil" => Value::Null,
            "go:*int" if text == "(*int)(nil)" => None::<i64>.into(),
            "go:[]uint8" if text == "[]byte(nil)" => None::<Vec<u8>>.into(),
            "go:map[int]string" if text == r#"map[int]string{9:"b", 10:"a"}"# => {
                Value::Map(Values::from([(9.to_string(), "b"), (10.to_string(), "a")]))
            }
            "go:json.Number" => return no_such("a number is a number, not any text"),
            "go:func()" => return no_such("a function is no value that can be serialized"),
            "go:chan int" => return no_such("a channel is no value that can be serialized"),
            "go:complex128" => return no_such("there are no complex numbers"),
            _ => return Err(unknown(given)),
        })
    }
}

fn unknown(given: &Given) -> Fault {
    Fault::Unknown(format!("the value {given}"))
}

fn field(given: &Given, name: &str) -> String {
    given[name].as_str().unwrap_or_default().to_owned()
}

fn server(given: &Given) -> Server {
    let field = |name| field(given, name);
    Server::new()
        .cluster_id(field("cluster_id"))
        .server_id(field("server_id"))
        .host(field("host"))
        .product(field("product"))
        .version(field("version"))
}

fn stats(given: &Given, notes: &mut Notes) -> Result<Stats, Fault> {
    let mut stats = Stats::new(notes.text(&given["product"])?)
        .cluster_id(notes.text(&given["cluster_id"])?)
        .server_id(notes.text(&given["server_id"])?);
    for (index, group) in groups(given).enumerate() {
        let mut data = StatsData::new(notes.text(&group["name"])?);
        data.tags = notes.tags(&group["tags"])?;
        data.values = notes.values(&group["values"], &format!("stats[{index}].values"))?;
        stats.data.push(data);
    }
    Ok(stats)
}

fn usage(given: &Given, notes: &mut Notes) -> Result<Usage, Fault> {
    let mut usage = Usage::new(notes.text(&given["product"])?);
    for (index, group) in groups(given).enumerate() {
        let mut data = UsageData::new();
        data.tags = notes.tags(&group["tags"])?;
        data.values = notes.values(&group["values"], &format!("[{index}].values"))?;
        usage.data.push(data);
    }
    Ok(usage)
}

/// The groups of values; a nil slice is none.
fn groups(given: &Given) -> impl Iterator<Item = &Given> {
    given["data"].as_array().into_iter().flatten()
}

/// The entries of a map; a nil map has none.
fn entries(given: &Given) -> Result<Vec<[&Given; 2]>, Fault> {
    match (given["t"].as_str(), given["v"].as_array()) {
        (Some("nil-map"), _) => Ok(Vec::new()),
        (Some("map"), Some(list)) => Ok(list.iter().map(|entry| [&entry[0], &entry[1]]).collect()),
        _ => Err(unknown(given)),
    }
}

/// Values for which an application defines a type of its own (W14).
fn usage_of_own_type(given: &Given) -> Result<Option<Built>, Fault> {
    #[derive(Serialize)]
    struct Fields {
        #[serde(rename = "A")]
        a: i64,
        #[serde(skip)]
        _b: i64,
    }

    let value = &given["data"][0]["values"]["v"][0][1];
    let text = value["v"].as_str().unwrap_or_default();
    let product = field(given, "product");
    Ok(Some(match value["t"].as_str() {
        Some("go:struct { A int; b int }") if text == "struct { A int; b int }{A:1, b:2}" => {
            Notes::default().built(OwnUsage::new(product, Fields { a: 1, _b: 2 }))
        }
        Some("go:json.RawMessage") => {
            let text = String::from_utf8(literal_bytes(text)).map_err(|_| unknown(value))?;
            let raw = RawValue::from_string(text).map_err(|_| unknown(value))?;
            Notes::default().built(OwnUsage::new(product, raw))
        }
        _ => return Ok(None),
    }))
}

/// The bytes of `json.RawMessage{0x20, 0x7b, …}`.
fn literal_bytes(text: &str) -> Vec<u8> {
    let digits = text.split("0x").skip(1).map(|byte| byte.get(..2).unwrap_or_default());
    digits.map(|digits| u8::from_str_radix(digits, 16).unwrap()).collect()
}

/// Usage with one value of another type than [`Value`].
struct OwnUsage<T> {
    product: String,
    groups: [OwnGroup<T>; 1],
}

#[derive(Serialize)]
struct OwnGroup<T> {
    tags: Tags,
    values: BTreeMap<&'static str, T>,
}

impl<T> OwnUsage<T> {
    fn new(product: String, value: T) -> Self {
        let group = OwnGroup { tags: Tags::new(), values: BTreeMap::from([("v", value)]) };
        Self { product, groups: [group] }
    }
}

impl<T: Serialize> Serialize for OwnUsage<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.groups.serialize(serializer)
    }
}

impl<T: Serialize> Saveable for OwnUsage<T> {
    fn segments(&self) -> impl IntoIterator<Item: AsRef<str>> {
        ["usage", &self.product]
    }
}

/// A type whose path was a text in Go, slashes included.
#[derive(Serialize)]
struct RawPath {
    #[serde(rename = "P")]
    path: &'static str,
}

impl Saveable for RawPath {
    fn segments(&self) -> impl IntoIterator<Item: AsRef<str>> {
        self.path.trim_start_matches('/').split('/')
    }
}
