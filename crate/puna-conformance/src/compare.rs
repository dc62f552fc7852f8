//! How much a kernel may differ from its twin.

use puna_gpu::shader::variant::KvType;

use crate::bench::Output;
use crate::case::{Case, Products, Wanted};

/// Normalised mean square error and largest error (in units of the largest wanted value) that are
/// allowed.
#[derive(Clone, Copy, Debug)]
struct Tolerance {
    square: f64,
    largest: f64,
}

/// The one table. f32: sums of some thousand products, each rounded to 24 bits, in another order than the
/// twin's. f16: products of operands rounded to 11 bits. Int8: inputs rounded to 127 steps of the largest of 16, off by a
/// third of a step in the mean. Exact: no arithmetic at all.
const fn tolerance(products: Products, kv: KvType, exact: bool) -> Tolerance {
    match (products, kv) {
        _ if exact => Tolerance {
            square: 0.0,
            largest: 0.0,
        },
        (Products::F32, KvType::F32 | KvType::Q8) => Tolerance {
            square: 1e-11,
            largest: 2e-5,
        },
        (Products::Int8, _) => Tolerance {
            square: 1e-4,
            largest: 3e-2,
        },
        _ => Tolerance {
            square: 1e-5,
            largest: 1e-2,
        },
    }
}

/// Compares what the kernel wrote with what its twin says.
///
/// # Errors
/// What differs, and by how much.
pub fn compare(case: &Case, output: &Output) -> Result<(), String> {
    if let Some(label) = &output.broken_sentinel {
        return Err(format!("{label} was written outside its bounds"));
    }
    for (wanted, got) in case.wanted.iter().zip(&output.words) {
        match wanted {
            Wanted::Words(_, want) => {
                let wrong = want.iter().zip(got).position(|(want, got)| want != got);
                if let Some(at) = wrong {
                    return Err(format!(
                        "word {at} is {:#010x}, expected {:#010x}",
                        got[at], want[at]
                    ));
                }
            }
            Wanted::Floats(_, want) => close(
                case,
                "output",
                &got.iter()
                    .map(|&word| f32::from_bits(word))
                    .collect::<Vec<_>>(),
                want,
            )?,
            Wanted::Choices(_, want) => {
                let (numbers, scores): (Vec<u32>, Vec<f32>) = pairs(got).unzip();
                let (wanted, wanted_scores): (Vec<u32>, Vec<f32>) = pairs(want).unzip();
                if numbers != wanted {
                    return Err(format!("{numbers:?} were chosen, {wanted:?} expected"));
                }
                close(case, "scores", &scores, &wanted_scores)?;
            }
            Wanted::Cache(_, want) => {
                close(case, "cache", &case.kv.unpack(got, want.len()), want)?;
            }
        }
    }
    Ok(())
}

fn close(case: &Case, what: &str, got: &[f32], want: &[f32]) -> Result<(), String> {
    if got.len() < want.len() {
        return Err(format!(
            "{what}: {} elements, expected {}",
            got.len(),
            want.len()
        ));
    }
    let (mut error, mut square, mut largest, mut scale) =
        (0.0f64, 0.0f64, 0.0f64, case.magnitude.max(1e-30));
    for (&got, &want) in got.iter().zip(want) {
        let difference = f64::from(got) - f64::from(want);
        if !difference.is_finite() {
            return Err(format!("{what}: {got} where {want} is expected"));
        }
        error += difference * difference;
        // Where terms cancel, their own size is the measure, not what is left of them.
        square += f64::from(want).abs().max(case.magnitude).powi(2);
        largest = largest.max(difference.abs());
        scale = scale.max(f64::from(want).abs());
    }
    let (error, largest) = (error / square.max(1e-30), largest / scale);
    let allowed = tolerance(case.products, case.kv.0, case.exact);
    if error <= allowed.square && largest <= allowed.largest {
        Ok(())
    } else {
        Err(format!(
            "{what}: normalised mean square error {error:.2e}, largest {largest:.2e}; allowed {allowed:?}"
        ))
    }
}

/// Numbers and floats in turn.
fn pairs(words: &[u32]) -> impl Iterator<Item = (u32, f32)> {
    let pairs = words.as_chunks::<2>().0.iter();
    pairs.map(|&[number, score]| (number, f32::from_bits(score)))
}
