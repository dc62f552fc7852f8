use std::collections::BTreeSet;

use super::scales::{Scales, weights};

fn owned(scales: &[(&str, f32)]) -> Vec<(String, f32)> {
    let owned = |(name, scale): &(&str, f32)| ((*name).to_owned(), *scale);
    scales.iter().map(owned).collect()
}

#[test]
fn a_request_says_which_adapters_or_calls_the_model_by_one() {
    let mut scales = Scales::new(owned(&[("a", 1.0), ("b", 0.5)]));
    for (model, said, expected) in [
        (None, None, [1.0, 0.5]),
        (Some("any"), None, [1.0, 0.5]),
        (Some("b"), None, [0.0, 0.5]),
        (Some("b"), Some(&[("a", 2.0)][..]), [2.0, 0.0]),
        (None, Some(&[][..]), [0.0, 0.0]),
    ] {
        let said = said.map(owned);
        let got = scales.of_request(model, said.as_deref()).unwrap();
        assert_eq!(got, expected, "{model:?} {said:?}");
    }
    let unknown = owned(&[("c", 1.0)]);
    let error = scales.of_request(None, Some(&unknown)).unwrap_err();
    assert!(
        error.to_string().contains("no adapter 'c'; there are a, b"),
        "{error}"
    );
    assert_eq!(error.details()["param"], "puna.adapters.c");
    scales.set(&owned(&[("b", 3.0)])).unwrap();
    assert_eq!(scales.usual(), [0.0, 3.0]);
    assert!(scales.set(&unknown).is_err() && scales.usual() == [0.0, 3.0]);
}

#[test]
fn other_scales_are_other_weights() {
    let all: [&[f32]; 6] = [
        &[],
        &[0.0, 0.0],
        &[1.0, 0.0],
        &[0.0, 1.0],
        &[1.0, 1.0],
        &[0.5, 0.0],
    ];
    let hashes: Vec<_> = all.iter().map(|scales| weights(scales)).collect();
    assert_eq!(hashes[..2], [0, 0], "none");
    let distinct: BTreeSet<_> = hashes.iter().collect();
    assert_eq!(distinct.len(), all.len() - 1);
}
