#![no_main]

#[path = "../../puna-core/tests/hostile/entry.rs"]
#[allow(dead_code, reason = "a target is one of them")]
mod entry;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    entry::checkpoint(bytes);
});
