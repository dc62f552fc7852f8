//! What the adapters of a loaded model are multiplied by: as it stands, or as a request wants it.

use crate::{Error, Result};

/// Names of adapters and their scales.
#[derive(Clone, Debug, Default)]
pub struct Scales {
    names: Vec<String>,
    /// As they were loaded: what one is multiplied by that is asked for by its name alone.
    given: Vec<f32>,
    /// Where a request says nothing.
    usual: Vec<f32>,
}

impl Scales {
    /// Those that adapters were loaded with.
    #[must_use]
    pub fn new(adapters: impl IntoIterator<Item = (String, f32)>) -> Self {
        let (names, given): (Vec<_>, Vec<_>) = adapters.into_iter().unzip();
        Self {
            names,
            usual: given.clone(),
            given,
        }
    }

    /// Where nothing is said.
    #[must_use]
    pub fn usual(&self) -> &[f32] {
        &self.usual
    }

    /// Changes that: adapters that are not named are multiplied by 0.
    ///
    /// # Errors
    /// `invalid_request` for names that there are none of.
    pub fn set(&mut self, scales: &[(String, f32)]) -> Result<()> {
        self.usual = self.named(scales, "adapters")?;
        Ok(())
    }

    /// What a request wants that says so, or that calls the model by an adapter's name.
    ///
    /// # Errors
    /// As [`Self::set`].
    pub fn of_request(
        &self,
        model: Option<&str>,
        adapters: Option<&[(String, f32)]>,
    ) -> Result<Vec<f32>> {
        if let Some(scales) = adapters {
            return self.named(scales, "puna.adapters");
        }
        let Some(asked) = self
            .names
            .iter()
            .position(|name| Some(name.as_str()) == model)
        else {
            return Ok(self.usual.clone());
        };
        let alone = |(ix, given): (usize, &f32)| if ix == asked { *given } else { 0.0 };
        Ok(self.given.iter().enumerate().map(alone).collect())
    }

    fn named(&self, scales: &[(String, f32)], param: &str) -> Result<Vec<f32>> {
        let mut all = vec![0.0; self.names.len()];
        for (name, scale) in scales {
            let found = self.names.iter().position(|own| own == name);
            let to = found.and_then(|ix| all.get_mut(ix)).ok_or_else(|| {
                let known = match self.names.is_empty() {
                    true => "none were loaded".to_owned(),
                    false => format!("there are {}", self.names.join(", ")),
                };
                let message = format!("There is no adapter '{name}'; {known}.");
                Error::invalid_request(&format!("{param}.{name}"), message)
            })?;
            *to = *scale;
        }
        Ok(all)
    }
}

/// What tells weights apart that adapters have changed in other ways: 0 of those that are not changed (FNV-1a of the scales;
/// Fowler, Noll and Vo 1991).
#[must_use]
pub fn weights(scales: &[f32]) -> u64 {
    if scales.iter().all(|scale| *scale == 0.0) {
        return 0;
    }
    let bits = scales
        .iter()
        .flat_map(|scale| scale.to_bits().to_le_bytes());
    bits.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
