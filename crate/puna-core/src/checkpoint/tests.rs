use serde_json::{Value, json};

use super::*;
use crate::ErrorCode;
use crate::model::{self, of_hub};
use crate::weights::header::Parsed;
use crate::weights::safetensors::parse;

fn llama() -> Value {
    json!({
        "model_type": "llama", "hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 2,
        "num_attention_heads": 4, "vocab_size": 3, "max_position_embeddings": 512, "rms_norm_eps": 1e-5,
        "hidden_act": "silu"
    })
}

/// `json` with another value of `key`.
fn with(mut json: Value, key: &str, value: Value) -> Value {
    json[key] = value;
    json
}

fn companions(config: &Value) -> Companions {
    let mut companions = Companions::default();
    let bytes = serde_json::to_vec(config).unwrap();
    companions.push(CONFIG, bytes).unwrap();
    companions
}

/// A file of weights with tensors of these names, types and shapes.
fn shard(tensors: &[(&str, &str, &[u64], u64)]) -> Vec<u8> {
    let mut table = serde_json::Map::new();
    let mut end = 0;
    for (name, dtype, shape, bytes) in tensors {
        let offsets = [end, end + bytes];
        let entry = json!({"dtype": dtype, "shape": shape, "data_offsets": offsets});
        table.insert((*name).to_owned(), entry);
        end += bytes;
    }
    table.insert("__metadata__".to_owned(), json!({"format": "pt"}));
    let json = serde_json::to_vec(&table).unwrap();
    let mut file = (json.len() as u64).to_le_bytes().to_vec();
    file.extend(json);
    file.resize(file.len() + usize::try_from(end).unwrap(), 0);
    file
}

fn read(config: &Value, tensors: &[(&str, &str, &[u64], u64)]) -> Result<Header> {
    let file = shard(tensors);
    let Parsed::Done(header) = parse(&file)? else {
        panic!("it is whole");
    };
    let bytes = file.len() as u64;
    Ok(super::header(companions(config), vec![Shard { header, bytes }])?.0)
}

/// Metadata of a config.
fn metadata(config: &Value) -> Result<Header> {
    read(config, &[("model.norm.weight", "F32", &[64], 256)])
}

#[track_caller]
fn refused(config: &Value, code: ErrorCode, names: &[&str]) {
    let error = metadata(config).expect_err("it must be refused");
    assert_eq!(error.code(), code, "{error}");
    for name in names {
        assert!(error.message().contains(name), "{error}");
    }
}

#[test]
fn a_checkpoint_is_known_by_its_address() {
    for (address, folder, name) in [
        ("https://a.b/m/", Some("https://a.b/m/"), "m"),
        (
            "https://a.b/m/config.json?x=/y#z",
            Some("https://a.b/m/"),
            "m",
        ),
        (
            "https://a.b/o/m/resolve/main/model-00001-of-00002.safetensors",
            Some("https://a.b/o/m/resolve/main/"),
            "m",
        ),
        (
            "https://a.b/m/model.safetensors.index.json",
            Some("https://a.b/m/"),
            "m",
        ),
        (
            "https://huggingface.co/o/m",
            Some("https://huggingface.co/o/m/resolve/main/"),
            "m",
        ),
        (
            "https://huggingface.co/o/m/tree/v1/",
            Some("https://huggingface.co/o/m/resolve/v1/"),
            "m",
        ),
        ("https://huggingface.co/datasets/x", None, ""),
        ("https://a.b/m.gguf", None, ""),
        ("https://a.b/manifest.json", None, ""),
        ("data:application/octet-stream;base64,AA//", None, ""),
    ] {
        let got = address::folder(address);
        assert_eq!(got.as_deref(), folder, "{address}");
        assert_eq!(got.as_deref().map_or("", address::name), name, "{address}");
    }
}

#[test]
fn settings_become_metadata() {
    let header = metadata(&llama()).unwrap();
    let meta = &header.metadata;
    assert_eq!(meta.str("general.architecture"), Some("llama"));
    assert_eq!(meta.u32("llama.embedding_length"), Some(64));
    assert_eq!(
        meta.f32("llama.attention.layer_norm_rms_epsilon"),
        Some(1e-5)
    );
    assert_eq!(meta.bool("llama.checkpoint.rotation_halves"), Some(true));
    assert!(
        !meta.contains("llama.attention.sliding_window"),
        "no window"
    );
    assert!(!meta.contains("llama.attention.head_count_kv"), "not said");
    assert_eq!(header.tensors[0].name, "output_norm.weight");
    assert_eq!(header.tensors[0].offset, header.data_offset, "the only one");
}

#[test]
fn windows_count_where_they_are_used() {
    let window = |json: Value| {
        let header = metadata(&json).unwrap();
        let key = format!(
            "{}.attention.sliding_window",
            header.metadata.str("general.architecture").unwrap()
        );
        header.metadata.u32(&key)
    };
    let mistral = with(llama(), "model_type", json!("mistral"));
    assert_eq!(
        window(with(mistral.clone(), "sliding_window", json!(16))),
        Some(16)
    );
    assert_eq!(window(with(mistral, "sliding_window", Value::Null)), None);
    let qwen = with(
        with(llama(), "model_type", json!("qwen2")),
        "sliding_window",
        json!(16),
    );
    assert_eq!(window(with(qwen, "use_sliding_window", json!(false))), None);
}

#[test]
fn rotations_are_read_by_either_name() {
    let rope = |json: Value| {
        let header = metadata(&json)?;
        let (architecture, _) = of_hub("llama")?;
        Ok::<_, Error>(
            crate::config::ModelConfig::from_header(&header, architecture)?.ropes[0].clone(),
        )
    };
    let llama3 = json!({"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
        "original_max_position_embeddings": 32});
    let old = with(
        with(llama(), "rope_scaling", llama3.clone()),
        "rope_theta",
        json!(5e5),
    );
    let new = with(
        llama(),
        "rope_parameters",
        with(llama3, "rope_theta", json!(5e5)),
    );
    let (old, new) = (rope(old).unwrap(), rope(new).unwrap());
    assert_eq!(old, new);
    assert_eq!(old.theta, 5e5);
    // The slowest frequencies are divided by all of the factor.
    let plain = crate::rope::Rope::plain(5e5, old.dims);
    let turned = |rope: &crate::rope::Rope| rope.row(1)[7][1];
    assert!((turned(&old) * 8.0 / turned(&plain) - 1.0).abs() < 1e-3);

    let kind = |kind: &str| {
        with(
            llama(),
            "rope_scaling",
            json!({"type": kind, "factor": 2.0}),
        )
    };
    assert!(rope(kind("linear")).is_ok());
    let error = rope(kind("dynamic")).unwrap_err();
    assert!(error.message().contains("dynamic"), "{error}");
    let error = rope(with(llama(), "rope_scaling", json!({"type": "linear"}))).unwrap_err();
    assert!(error.message().contains("factor"), "{error}");
}

#[test]
fn models_of_texts_and_images_are_read_as_far_as_they_are_of_texts() {
    let config = json!({
        "model_type": "gemma3",
        "text_config": {"model_type": "gemma3_text", "hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 7},
        "vision_config": {"hidden_size": 1152}
    });
    let tensors: &[(&str, &str, &[u64], u64)] = &[
        ("language_model.model.norm.weight", "BF16", &[64], 128),
        (
            "vision_tower.vision_model.embeddings.patch_embedding.bias",
            "I8",
            &[1],
            1,
        ),
        (
            "model.language_model.layers.0.input_layernorm.weight",
            "BF16",
            &[64],
            128,
        ),
        ("language_model.lm_head.weight", "BF16", &[64], 128),
    ];
    let header = read(&config, tensors).unwrap();
    let names: Vec<_> = header.tensors.iter().map(|it| it.name.as_str()).collect();
    assert_eq!(
        names,
        ["output_norm.weight", "blk.0.attn_norm.weight"],
        "the head is tied"
    );
    assert_eq!(
        header.metadata.u32("gemma3.attention.key_length"),
        Some(256),
        "goes without saying"
    );
}

/// As its authors write it, before transformers had it.
#[test]
fn nomic_embed_has_two_kinds_of_settings() {
    let theirs = json!({"model_type": "nomic_bert", "n_embd": 64, "n_inner": 96, "n_layer": 2, "n_head": 4,
        "n_positions": 8192, "max_trained_positions": 2048, "rotary_emb_base": 1000, "rotary_emb_fraction": 1.0,
        "rotary_emb_interleaved": false, "rotary_emb_scale_base": null, "rotary_scaling_factor": null,
        "layer_norm_epsilon": 1e-6, "activation_function": "swiglu", "prenorm": false, "qkv_proj_bias": false,
        "vocab_size": 30528});
    let newer = json!({"model_type": "nomic_bert", "hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 2,
        "num_attention_heads": 4, "max_position_embeddings": 2048, "layer_norm_eps": 1e-6, "hidden_act": "silu",
        "rope_parameters": {"rope_type": "default", "rope_theta": 1000.0}, "vocab_size": 30528});
    for config in [&theirs, &newer] {
        let header = read(config, &[("emb_ln.bias", "F32", &[64], 256)]).unwrap();
        let metadata = &header.metadata;
        for (key, expected) in [
            ("embedding_length", 64),
            ("feed_forward_length", 96),
            ("block_count", 2),
            ("attention.head_count", 4),
            ("context_length", 2048),
        ] {
            let got = metadata.u32(&format!("nomic-bert.{key}"));
            assert_eq!(got, Some(expected), "{key} of {config}");
        }
        for (key, expected) in [
            ("attention.layer_norm_epsilon", 1e-6),
            ("rope.freq_base", 1000.0),
        ] {
            let got = metadata.f32(&format!("nomic-bert.{key}"));
            assert_eq!(got, Some(expected), "{key} of {config}");
        }
    }
    for (key, value) in [
        ("qkv_proj_bias", json!(true)),
        ("rotary_emb_fraction", json!(0.5)),
        ("rotary_emb_scale_base", json!(512)),
        ("activation_function", json!("gelu")),
    ] {
        let config = with(theirs.clone(), key, value);
        refused(&config, ErrorCode::UnsupportedModel, &[key]);
    }
}

#[test]
fn names_become_those_of_gguf() {
    let settings = Settings::parse(
        &serde_json::to_vec(&with(llama(), "num_nextn_predict_layers", json!(1))).unwrap(),
    )
    .unwrap();
    let (_, hub) = of_hub("mixtral").unwrap();
    for (theirs, ours) in [
        ("model.embed_tokens.weight", Some("token_embd.weight")),
        ("lm_head.weight", Some("output.weight")),
        (
            "model.layers.1.self_attn.q_proj.bias",
            Some("blk.1.attn_q.bias"),
        ),
        (
            "model.layers.1.mlp.gate.e_score_correction_bias",
            Some("blk.1.exp_probs_b.bias"),
        ),
        (
            "model.layers.0.block_sparse_moe.experts.3.w2.weight",
            Some("blk.0.ffn_down.3.weight"),
        ),
        (
            "model.layers.0.mlp.experts.3.up_proj.weight",
            Some("blk.0.ffn_up.3.weight"),
        ),
        (
            "model.layers.0.block_sparse_moe.gate.weight",
            Some("blk.0.ffn_gate_inp.weight"),
        ),
        ("model.layers.0.self_attn.rotary_emb.inv_freq", None),
        ("model.layers.2.self_attn.q_proj.weight", None),
        (
            "model.layers.0.self_attn.sinks",
            Some("model.layers.0.self_attn.sinks"),
        ),
        (
            "model.layers.x.mlp.up_proj.weight",
            Some("model.layers.x.mlp.up_proj.weight"),
        ),
    ] {
        assert_eq!(
            names::translate(theirs, &settings, hub).as_deref(),
            ours,
            "{theirs}"
        );
    }
}

#[test]
fn what_would_change_the_arithmetic_is_refused_by_name() {
    let unsupported = ErrorCode::UnsupportedModel;
    refused(
        &with(llama(), "model_type", json!("mamba2")),
        unsupported,
        &["mamba2", "qwen3_moe"],
    );
    refused(
        &with(llama(), "hidden_act", json!("relu")),
        unsupported,
        &["hidden_act", "relu", "silu"],
    );
    let fp8 = json!({"quant_method": "fp8"});
    refused(
        &with(llama(), "quantization_config", fp8),
        unsupported,
        &["quantization_config", "fp8"],
    );
    let gemma = json!({"model_type": "gemma2", "num_hidden_layers": 2, "head_dim": 32, "query_pre_attn_scalar": 64});
    refused(&gemma, unsupported, &["query_pre_attn_scalar", "32"]);
    let layers = json!(["sliding_attention", "sliding_attention"]);
    refused(
        &with(gemma, "layer_types", layers),
        unsupported,
        &["layer_types[1]", "full_attention"],
    );
    let error = read(&llama(), &[("model.norm.weight", "F8_E4M3", &[64], 64)]).unwrap_err();
    assert_eq!(error.code(), unsupported, "{error}");
    assert!(error.message().contains("F8_E4M3"), "{error}");
    // A tensor that nobody knows is refused where it has no place.
    let header = read(&llama(), &[("model.layers.0.extra", "F32", &[64], 256)]).unwrap();
    assert!(model::open(&header).is_err());
}

#[test]
fn malformed_files_are_refused_by_name() {
    let bad = ErrorCode::BadModelFile;
    refused(
        &with(llama(), "hidden_size", json!(-1)),
        bad,
        &["hidden_size is -1"],
    );
    refused(
        &with(llama(), "rope_theta", json!("much")),
        bad,
        &["rope_theta"],
    );
    refused(&json!({"hidden_size": 1}), bad, &["model_type is missing"]);
    refused(&json!([1]), bad, &["config.json"]);

    let mut out_of_order = companions(&llama());
    let error = out_of_order.push(CONFIG, Vec::new()).unwrap_err();
    assert!(error.message().contains("order"), "{error}");
    for (index, says) in [
        (json!({"weight_map": {"a": "../x.safetensors"}}), "../x"),
        (
            json!({"weight_map": {"a": "https://a/x.safetensors"}}),
            "https",
        ),
        (json!({"weight_map": {"a": "x.bin"}}), "x.bin"),
        (json!({"weight_map": {}}), "0 files"),
        (json!({"weight_map": []}), "index.json"),
    ] {
        let mut companions = companions(&llama());
        companions
            .push(INDEX, serde_json::to_vec(&index).unwrap())
            .unwrap();
        let error = companions.shards().expect_err(says);
        assert!(error.message().contains(says), "{error}");
    }

    let tensors: &[(&str, &str, &[u64], u64)] = &[("a", "F32", &[4], 16), ("b", "F32", &[4], 15)];
    let error = parse(&shard(tensors)).unwrap_err();
    assert!(error.message().contains("tensor b"), "{error}");
    let error = parse(&shard(&[("a", "F32", &[u64::MAX, 8], 16)])).unwrap_err();
    assert!(error.message().contains("tensor a"), "{error}");
    let error = parse(&u64::MAX.to_le_bytes()).unwrap_err();
    assert!(error.message().contains("no safetensors"), "{error}");
    let whole = shard(&[("a", "F32", &[4], 16)]);
    assert_eq!(
        parse(&whole[..4]).unwrap(),
        Parsed::NeedMore { at_least: 8 }
    );
    assert!(matches!(parse(&whole[..20]).unwrap(), Parsed::NeedMore { at_least } if at_least > 20));
    let twice = br#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}"#;
    let mut file = (twice.len() as u64).to_le_bytes().to_vec();
    file.extend(twice);
    file.extend([0; 8]);
    let Parsed::Done(header) = parse(&file).unwrap() else {
        panic!("it is whole");
    };
    let bytes = file.len() as u64;
    let error = super::header(companions(&llama()), vec![Shard { header, bytes }]).unwrap_err();
    assert!(error.message().contains("twice"), "{error}");
}

#[test]
fn pooling_is_what_the_file_of_that_name_asks_for() {
    let of = |json: &str| translate::pooling_type(json.as_bytes());
    for (json, expected) in [
        (
            r#"{"word_embedding_dimension": 384, "pooling_mode_cls_token": false, "pooling_mode_mean_tokens": true}"#,
            1,
        ),
        (
            r#"{"pooling_mode_cls_token": true, "pooling_mode_mean_tokens": false, "include_prompt": true}"#,
            2,
        ),
        (r#"{"pooling_mode_lasttoken": true}"#, 3),
        (r#"{"pooling_mode": "cls"}"#, 2),
    ] {
        assert_eq!(of(json).unwrap(), expected, "{json}");
    }
    for (json, code, says) in [
        ("{", ErrorCode::BadModelFile, "1_Pooling/config.json"),
        ("{}", ErrorCode::UnsupportedModel, "no pooling"),
        (
            r#"{"pooling_mode_max_tokens": true}"#,
            ErrorCode::UnsupportedModel,
            "pooling_mode_max_tokens",
        ),
        (
            r#"{"pooling_mode_cls_token": true, "pooling_mode_mean_tokens": true}"#,
            ErrorCode::UnsupportedModel,
            "pooling_mode_cls_token and pooling_mode_mean_tokens",
        ),
    ] {
        let error = of(json).expect_err(json);
        assert_eq!(error.code(), code, "{json}: {error}");
        assert!(error.message().contains(says), "{json}: {error}");
    }
}
