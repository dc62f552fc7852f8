//! Adapters against the same models with the products merged into their weights, tensor by tensor in the file's own order.
#![allow(
    clippy::cast_possible_truncation,
    reason = "sizes of golden files are small"
)]

#[path = "../../../tests/native/adapters.rs"]
#[allow(dead_code, reason = "not every test file asks for all")]
mod adapters;
#[allow(dead_code, reason = "not every test file asks for all")]
mod support;
#[path = "../../../tests/native/tiny.rs"]
#[allow(dead_code, reason = "not every test file asks for all")]
mod tiny;

use adapters::{Change, File, Model, gguf, merged, peft, tensor_bytes};
use puna_core::ErrorCode;
use puna_core::adapter::{Adapter, Gathering, attach};
use puna_core::graph::Factors;
use puna_core::model;
use puna_core::reference::Executor;
use support::root;
use tiny::worst;

const CONFIG: &str = r#"{ "peft_type": "LORA", "r": 4, "lora_alpha": 6 }"#;

fn logits(file: &File, adapters: &[(&File, f32)], ids: &[u32]) -> Vec<f32> {
    let (_, header) = file;
    let (_, graph) = model::open(header).expect("a graph");
    let all: Vec<_> = adapters
        .iter()
        .map(|(of, _)| Adapter::new("a", &of.1, header).expect("an adapter"))
        .collect();
    let graph = attach(graph, &all).expect("room");
    let mut executor = Executor::new(graph.clone(), 64, |ix| tensor_bytes(file, ix)).expect("good");
    for (ix, (adapter, (of, scale))) in all.iter().zip(adapters).enumerate() {
        for factors in gathered(Gathering::new(adapter, ix, &graph.low_ranks), of) {
            executor.merge(&factors, *scale).expect("of this graph");
        }
    }
    executor.forward(0, ids)
}

/// In pieces, the last tensors first.
fn gathered(mut gathering: Gathering<'_>, file: &File) -> Vec<Factors> {
    let mut factors = Vec::new();
    for ix in (0..file.1.tensors.len()).rev() {
        let bytes = tensor_bytes(file, ix);
        let (front, back) = bytes.split_at(bytes.len() / 8 * 4);
        assert!(front.is_empty() || gathering.take(ix, 0, front).expect("its own").is_none());
        factors.extend(
            gathering
                .take(ix, front.len() as u64, back)
                .expect("its own"),
        );
    }
    gathering.finish().expect("all came");
    factors
}

fn check(what: &str, got: &[f32], want: &[f32], plain: &[f32]) {
    let off = worst(got, want);
    assert!(off < 1e-4, "{what}: {off} standard deviations off");
    let changed = worst(plain, want);
    assert!(
        changed > 0.05,
        "{what}: it changes {changed}, next to nothing"
    );
}

/// Both ways to write an adapter, of models in both files: rotation pairs lie otherwise in each.
#[test]
fn adapters_of_both_origins_are_what_merging_gives() {
    for model in Model::ALL {
        let changes = model.changes(&root());
        let ids = model.ids(&root());
        for of_gguf in [false, true] {
            let file = model.read(&root(), of_gguf);
            let held = model.held(&changes, of_gguf);
            let alpha = |change: &Change| 6.0 / change.rank as f32;
            let want = logits(&merged(&file, &held, Model::target, alpha), &[], &ids);
            let plain = logits(&file, &[], &ids);
            let from_peft = peft(&changes, CONFIG).expect("an adapter");
            let from_gguf = gguf(model.architecture, 6.0, &model.named(&changes));
            for (origin, adapter) in [("PEFT", &from_peft), ("GGUF", &from_gguf)] {
                let what = format!("{} of {origin}, model in GGUF {of_gguf}", model.folder);
                check(
                    &what,
                    &logits(&file, &[(adapter, 1.0)], &ids),
                    &want,
                    &plain,
                );
            }
        }
    }
}

/// Of other ranks, of other tensors, and with other factors.
#[test]
fn several_adapters_add_up() {
    let model = &Model::ALL[0];
    let ids = model.ids(&root());
    let file = model.read(&root(), false);
    let all = model.changes(&root());
    let (mut first, mut second) = (Vec::new(), Vec::new());
    for (ix, change) in all.into_iter().enumerate() {
        if ix % 2 == 0 { &mut first } else { &mut second }.push(change);
    }
    // Some are changed by both.
    let own = ["o_proj", "q_proj"];
    second.retain(|change| !own.iter().any(|end| change.module.ends_with(end)));
    second.extend(model.changes_of(&root(), &own, 9));
    let roots = r#"{ "peft_type": "LORA", "lora_alpha": 3, "use_rslora": true, "alpha_pattern": { "o_proj": 5 } }"#;
    let adapters = [
        peft(&first, CONFIG).expect("an adapter"),
        peft(&second, roots).expect("an adapter"),
    ];
    let alpha = |change: &Change| 0.5 * 6.0 / change.rank as f32;
    let once = merged(&file, &first, Model::target, alpha);
    let by_root = |change: &Change| {
        let alpha = if change.module.ends_with("o_proj") {
            5.0
        } else {
            3.0
        };
        -2.0 * alpha / (change.rank as f32).sqrt()
    };
    let twice = merged(&once, &second, Model::target, by_root);
    let got = logits(&file, &[(&adapters[0], 0.5), (&adapters[1], -2.0)], &ids);
    check(
        "two",
        &got,
        &logits(&twice, &[], &ids),
        &logits(&file, &[], &ids),
    );
}

#[test]
fn what_can_not_be_done_is_refused_by_name() {
    let model = &Model::ALL[0];
    let file = model.read(&root(), false);
    let refused = |adapter: puna_core::Result<File>| {
        let adapter = adapter.and_then(|it| Adapter::new("mine", &it.1, &file.1));
        let error = adapter.expect_err("refused");
        (error.code(), error.to_string())
    };
    let changes = || model.changes_of(&root(), &["q_proj"], 1);
    for (settings, says) in [
        (r#""peft_type": "IA3", "lora_alpha": 1"#, "peft_type"),
        (r#""peft_type": "LORA""#, "lora_alpha"),
        (
            r#""peft_type": "LORA", "lora_alpha": 1, "use_dora": true"#,
            "use_dora",
        ),
        (
            r#""peft_type": "LORA", "lora_alpha": 1, "bias": "all""#,
            "bias",
        ),
        (
            r#""peft_type": "LORA", "lora_alpha": 1, "modules_to_save": ["lm_head"]"#,
            "modules_to_save",
        ),
        (
            r#""peft_type": "LORA", "lora_alpha": 1, "alpha_pattern": { "q.*": 2 }"#,
            "alpha_pattern",
        ),
        (
            r#""peft_type": "LORA", "lora_alpha": 1e39"#,
            "multiplied by inf",
        ),
    ] {
        let (code, message) = refused(peft(&changes(), &format!("{{ {settings} }}")));
        assert!(message.contains(says), "{settings}: {message}");
        assert!([ErrorCode::UnsupportedModel, ErrorCode::BadModelFile].contains(&code));
    }
    let renamed = |module: &str| {
        let mut changes = changes();
        changes[0].module = module.to_owned();
        refused(peft(&changes, CONFIG))
    };
    for (module, says) in [
        (
            "model.layers.7.self_attn.q_proj",
            "model.layers.7.self_attn.q_proj, which the model has not",
        ),
        ("model.embed_tokens", "model.embed_tokens"),
        ("model.layers.0.self_attn.rotary", "rotary"),
    ] {
        let (code, message) = renamed(module);
        assert_eq!(code, ErrorCode::UnsupportedModel, "{message}");
        assert!(
            message.contains(says) && message.contains("mine"),
            "{module}: {message}"
        );
    }
    let mut wide = changes();
    let rank = wide[0].rank;
    wide[0].a.truncate(rank * 4);
    let (_, message) = refused(peft(&wide, CONFIG));
    assert!(
        message.contains("has shape [4,") && message.contains("another model"),
        "{message}"
    );
    let mut alone = peft(&changes(), CONFIG).expect("an adapter");
    alone.1.tensors.pop();
    let (_, message) = refused(Ok(alone));
    assert!(message.contains("only one of its two"), "{message}");

    let other = gguf("qwen2", 1.0, &model.named(&changes()));
    let (_, message) = refused(Ok(other));
    assert!(message.contains("\"qwen2\""), "{message}");
    let (_, message) = refused(Ok(model.read(&root(), true)));
    assert!(message.contains("no adapter"), "{message}");
    let adapter = gguf(model.architecture, 1.0, &model.named(&changes()));
    let error = model::open(&adapter.1).expect_err("no model");
    assert!(error.to_string().contains("among its adapters"), "{error}");
}

/// Experts, and heads that are compressed, have matrices that no adapter is added to.
#[test]
fn experts_are_refused_and_what_is_beside_them_is_not() {
    let moe = Model {
        folder: "tiny/qwen3-moe",
        architecture: "qwen3moe",
        file: "Q4_0",
    };
    let file = moe.read(&root(), false);
    let fits = |ends: &[&str]| {
        let adapter = peft(&moe.changes_of(&root(), ends, 3), CONFIG).expect("an adapter");
        Adapter::new("a", &adapter.1, &file.1)
    };
    fits(&["q_proj", "o_proj"]).expect("not of experts");
    let error = fits(&["experts.0.up_proj"]).expect_err("of an expert");
    assert!(error.to_string().contains("experts"), "{error}");
}
