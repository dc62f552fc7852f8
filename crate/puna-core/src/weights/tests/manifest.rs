use serde_json::{Value, json};

use super::super::manifest::{Manifest, Sha256, resolve};
use crate::ErrorCode;

fn good() -> Value {
    let sha256 = "ab".repeat(32);
    let shard = |offset: u64, bytes: u64| json!({ "url": format!("{offset}.bin"), "offset": offset, "bytes": bytes, "sha256": sha256 });
    json!({
        "format": "puna-shards", "version": 1, "name": "m", "file_bytes": 1002, "sha256": sha256,
        "header": shard(0, 200), "shards": [shard(200, 400), shard(600, 402)],
    })
}

#[track_caller]
fn refused(manifest: &Value, code: ErrorCode, says: &str) {
    let error = Manifest::parse(manifest.to_string().as_bytes()).unwrap_err();
    assert_eq!(error.code(), code, "{error}");
    assert!(
        error.message().contains(says),
        "{error} should say {says:?}"
    );
}

#[test]
fn what_is_written_is_read() {
    let manifest = Manifest::parse(good().to_string().as_bytes()).unwrap();
    assert_eq!(
        manifest.cuts(),
        [(0, 200), (200, 400), (600, 402)],
        "header first"
    );
    assert_eq!(
        Manifest::parse(manifest.to_json().as_bytes()).unwrap(),
        manifest,
        "round trip"
    );
    assert!(Manifest::is_likely(manifest.to_json().as_bytes()), "JSON");
    assert!(!Manifest::is_likely(b"GGUF"), "a model file");
}

#[test]
fn every_lie_is_refused() {
    let cases: &[(&str, Value, &str)] = &[
        ("/format", json!("other"), "\"format\" should be"),
        ("/file_bytes", json!(1003), "hold 1002 bytes"),
        ("/file_bytes", json!(-1), "invalid value"),
        ("/file_bytes", json!(1_u64 << 60), "2^53"),
        ("/sha256", json!("AB".repeat(32)), "hexadecimal"),
        ("/sha256", json!("ab".repeat(31)), "hexadecimal"),
        ("/sha256", json!("ab".repeat(40)), "hexadecimal"),
        ("/header/offset", json!(4), "the header begins at byte 4"),
        (
            "/header/bytes",
            json!(202),
            "shard 0 begins at byte 200; expected byte 202",
        ),
        (
            "/shards/1/offset",
            json!(604),
            "shard 1 begins at byte 604; expected byte 600",
        ),
        ("/shards/0/bytes", json!(0), "shard 0 has 0 bytes"),
        (
            "/shards/1/bytes",
            json!(u32::MAX),
            "shard 1 has 4294967295 bytes",
        ),
        ("/shards/1/bytes", json!(1_u64 << 40), "invalid value"),
        ("/shards", json!([]), "hold 200 bytes"),
        (
            "/shards/0/url",
            json!("https://elsewhere/x"),
            "plain relative path",
        ),
        (
            "/shards/0/url",
            json!("//elsewhere/x"),
            "plain relative path",
        ),
        ("/shards/0/url", json!("../x.bin"), "plain relative path"),
        ("/shards/0/url", json!("a/../x.bin"), "plain relative path"),
        ("/shards/0/url", json!("x.bin?y"), "plain relative path"),
        ("/shards/0/url", json!(""), "plain relative path"),
        (
            "/shards/0/url",
            json!("javascript:x"),
            "plain relative path",
        ),
    ];
    for (pointer, value, says) in cases {
        let mut manifest = good();
        *manifest.pointer_mut(pointer).unwrap() = value.clone();
        refused(&manifest, ErrorCode::BadModelFile, says);
    }
    let mut newer = good();
    newer["version"] = json!(2);
    refused(&newer, ErrorCode::UnsupportedModel, "version 2");
    let mut odd = good();
    odd["header"]["bytes"] = json!(201);
    odd["shards"][0]["offset"] = json!(201);
    refused(&odd, ErrorCode::BadModelFile, "a multiple of 4");
    let mut unknown = good();
    unknown["shards"][0]["extra"] = json!(1);
    refused(&unknown, ErrorCode::BadModelFile, "unknown field");
    assert!(Manifest::parse(b"{").is_err(), "half a text");
}

#[test]
fn shards_lie_beside_their_manifest() {
    assert_eq!(
        resolve("https://a.b/m/manifest.json?x=/y#z", "s.bin"),
        "https://a.b/m/s.bin",
        "no query"
    );
    assert_eq!(resolve("manifest.json", "s.bin"), "s.bin", "relative");
}

#[test]
fn checksums_are_read_as_written() {
    let sum = Sha256(std::array::from_fn(|ix| ix as u8 * 7));
    assert_eq!(
        sum.to_string().parse::<Sha256>().unwrap(),
        sum,
        "round trip"
    );
    for wrong in ["", "é", &"g".repeat(64), &"0".repeat(63)] {
        assert!(wrong.parse::<Sha256>().is_err(), "{wrong:?}");
    }
}
