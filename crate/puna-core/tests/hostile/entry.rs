//! What strangers' bytes go through, as `cargo fuzz` and the ordinary tests run it.
//!
//! Whatever the bytes are, each ends with an error or a result, and says whether there was one; a panic is a
//! defect.

use puna_core::chat::{ChatTemplate, Date, Message, Prompt, Role};
use puna_core::checkpoint::{self, Companions, Shard};
use puna_core::config::ModelConfig;
use puna_core::model;
use puna_core::prepared::{Prepared, Wishes};
use puna_core::report::Report;
use puna_core::tokenizer::{JsonFiles, Special, Tokenizer};
use puna_core::weights::header::{Header, Parsed};
use puna_core::weights::plan::Plan;
use puna_core::weights::safetensors;
use serde_json::{Value, json};

/// Has a bit of everything that a tokenizer treats apart.
const TEXT: &str = "Hi <s>[INST] don't  1234 é中한😀\n\n\t<|im_end|><0x0A>▁x [MASK]";

/// A GGUF's header: its metadata, the model's shape, its tokenizer and chat template.
pub(crate) fn header(bytes: &[u8]) -> bool {
    let Ok(Parsed::Done(header)) = Header::from_gguf(bytes) else {
        return false;
    };
    let _ = header.check(u64::MAX);
    // The metadata's sizes alone, then the tensors too.
    let architecture = header
        .metadata
        .str("general.architecture")
        .unwrap_or_default();
    if let Ok(architecture) = model::find(architecture) {
        let _ = ModelConfig::from_header(&header, architecture);
    }
    let _ = model::open(&header);
    let prepared = Prepared::new(&header, &Wishes::default());
    let report = Report::new(&header, u64::MAX, &prepared);
    serde_json::to_string(&report).expect("JSON");
    let Ok(tokenizer) = Tokenizer::from_gguf(&header.metadata) else {
        return false;
    };
    use_tokenizer(&tokenizer);
    if let Ok(template) = ChatTemplate::for_model(&header, &tokenizer, None) {
        use_template(template);
    }
    true
}

/// A `tokenizer.json`, and the same bytes as the files beside it.
pub(crate) fn tokenizer_json(bytes: &[u8]) -> bool {
    let alone = JsonFiles {
        tokenizer: bytes,
        ..JsonFiles::default()
    };
    let tokenizer = Tokenizer::from_json(&alone);
    if let Ok(tokenizer) = &tokenizer {
        use_tokenizer(tokenizer);
        let _ = ChatTemplate::from_json(bytes, None, tokenizer);
    }
    let beside = JsonFiles {
        tokenizer_config: Some(bytes),
        special_tokens_map: Some(bytes),
        generation_config: Some(bytes),
        ..alone
    };
    let _ = Tokenizer::from_json(&beside);
    tokenizer.is_ok()
}

/// A `config.json`, an index, and a header of safetensors, each beside good ones of the others.
pub(crate) fn checkpoint(bytes: &[u8]) -> bool {
    const CONFIG: &[u8] = include_bytes!("../../../../tests/golden/tiny/smollm3/config.json");
    const WEIGHTS: &[u8] =
        include_bytes!("../../../../tests/golden/tiny/smollm3/model.safetensors");
    let config = open_checkpoint(bytes, None, WEIGHTS);
    let index = open_checkpoint(CONFIG, Some(bytes), WEIGHTS);
    let weights = open_checkpoint(CONFIG, None, bytes);
    config || index || weights
}

fn open_checkpoint(config: &[u8], index: Option<&[u8]>, weights: &[u8]) -> bool {
    let mut companions = Companions::default();
    if companions.push("config.json", config.to_vec()).is_err() {
        return false;
    }
    if let Some(index) = index {
        let pushed = companions.push("model.safetensors.index.json", index.to_vec());
        if pushed.is_err() || companions.shards().is_err() {
            return false;
        }
    }
    let Ok(Parsed::Done(header)) = safetensors::parse(weights) else {
        return false;
    };
    // A file as large as it must be for what its header says, but for absurd ones.
    let end = header.tensors.last().map_or(0, |it| it.offset + it.bytes);
    let bytes = end.min(1 << 40).max(weights.len() as u64);
    let Ok((header, end)) = checkpoint::header(companions, vec![Shard { header, bytes }]) else {
        return false;
    };
    let planned = Plan::new(&header, end, 1 << 24);
    model::open(&header).is_ok() && planned.is_ok()
}

/// A chat template.
pub(crate) fn template(bytes: &[u8]) -> bool {
    let Ok(source) = std::str::from_utf8(bytes) else {
        return false;
    };
    match ChatTemplate::from_source(source, "<s>", "</s>") {
        Ok(template) => use_template(template),
        Err(_) => false,
    }
}

fn use_tokenizer(tokenizer: &Tokenizer) {
    for special in [Special::Parse, Special::AsText] {
        if let Ok(ids) = tokenizer.encode_document(TEXT, special) {
            let _ = tokenizer.decode(&ids);
        }
    }
    for id in [0, 1, 300, u32::MAX] {
        let _ = (tokenizer.piece(id), tokenizer.kind(id));
    }
    let _ = (tokenizer.bos_text(), tokenizer.end_of_generation());
}

fn use_template(mut template: ChatTemplate) -> bool {
    template.set_date(Date::new(2024, 7, 26).expect("a day"));
    let mut call = Message::new(Role::Assistant, "");
    call.fields.insert(
        "tool_calls".to_owned(),
        json!([{ "function": { "name": "f", "arguments": { "a": 1 } } }]),
    );
    let messages = [
        Message::new(Role::System, "Be brief."),
        Message::new(Role::User, TEXT),
        call,
    ];
    let tools: [Value; 1] = [json!({ "function": { "name": "f" } })];
    let prompt = template.render(&Prompt {
        tools: &tools,
        ..Prompt::answer(&messages)
    });
    prompt.is_ok()
}
