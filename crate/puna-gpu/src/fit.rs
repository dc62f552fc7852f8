//! Whether a model fits a device, before anything is allocated.

use puna_core::graph::Graph;
use puna_core::session::CONVERSATIONS;
use puna_core::{Error, ErrorCode, Result};

use crate::arena::layout;
use crate::device::Capabilities;
use crate::executor::ExecutorOptions;
use crate::kernel::{low_rank, quantize_kv};
use crate::kv_cache::rows_bytes;
use crate::split::Split;
use crate::{kernel, memory};

/// How a model fits a device.
#[derive(Clone, Copy, Debug)]
pub struct Fit {
    /// How work is split.
    pub split: Split,
    /// Most tokens of the context.
    pub context_length: usize,
    /// Most rows of the KV cache: of several conversations, if they have room in a binding.
    pub most_rows: usize,
    /// Most tokens of a call.
    pub max_tokens: usize,
    /// Most tokens of a call of which something is given.
    pub max_logits: usize,
}

impl Fit {
    /// Of a graph, on a device of these limits.
    ///
    /// # Errors
    /// `unsupported_model` or `unsupported_device` for what no kernel does, or what exceeds a limit of the device.
    pub fn new(
        capabilities: &Capabilities,
        graph: &Graph,
        options: &ExecutorOptions,
    ) -> Result<Self> {
        kernel::attention::check(graph.kv)?;
        memory::check(capabilities, graph)?;
        for matrix in &graph.matrices {
            layout(
                matrix.format,
                (matrix.rows, matrix.cols),
                matrix.experts,
                capabilities.max_binding_bytes,
                capabilities.max_buffer_bytes,
            )?;
        }
        let split = options
            .split
            .unwrap_or_else(|| Split::best(capabilities, options.precision));
        if !split.computes_in(options.precision) {
            return Err(Error::new(
                ErrorCode::UnsupportedDevice,
                format!(
                    "the {} variant does not compute in {}; leave one of both at \"auto\"",
                    split.name(),
                    options.precision.name()
                ),
            ));
        }
        let largest = largest(capabilities);
        for low_rank in &graph.low_ranks {
            let bytes = low_rank::bytes(low_rank, options.max_tokens);
            if bytes > largest {
                let message = format!(
                    "what adapters add to a matrix takes {bytes} bytes, and this device binds at most {largest} at a time; load fewer adapters, or such of a lower rank"
                );
                return Err(Error::new(ErrorCode::UnsupportedDevice, message));
            }
        }
        let context_length = context_length(capabilities, graph, options);
        let most_rows = largest / rows_bytes(graph.kv, options.kv, 1);
        let most_rows = usize::try_from(most_rows).unwrap_or(usize::MAX);
        // All of a text that vectors are made of comes in one call, and something of each token is wanted.
        let (max_tokens, max_logits) = match graph.encodes() {
            true => (context_length, context_length),
            false => (options.max_tokens, options.max_logits),
        };
        Ok(Self {
            split,
            context_length,
            most_rows: most_rows
                .min(context_length.saturating_mul(CONVERSATIONS))
                .max(context_length),
            max_tokens,
            max_logits,
        })
    }

    /// Bytes that the model takes with the whole of its context: weights, cache, and what a call computes.
    #[must_use]
    pub fn bytes(&self, graph: &Graph, options: &ExecutorOptions) -> u64 {
        let cache = row_bytes(graph, options) * self.context_length as u64;
        let widths = graph.activations.iter().map(|activation| activation.width);
        let working = widths.sum::<usize>() * self.max_tokens + graph.out_width * self.max_logits;
        let fresh = quantize_kv::fresh_bytes(graph.kv, options.kv, self.max_tokens);
        graph.weights_bytes() + cache + fresh + working as u64 * 4
    }
}

/// Bytes of a token in the cache of all layers.
pub(crate) fn row_bytes(graph: &Graph, options: &ExecutorOptions) -> u64 {
    graph.kv.layers as u64 * rows_bytes(graph.kv, options.kv, 1)
}

/// Bytes of the largest buffer that can be bound.
fn largest(capabilities: &Capabilities) -> u64 {
    capabilities
        .max_binding_bytes
        .min(capabilities.max_buffer_bytes)
}

/// Most tokens of the context: as many as were asked for, or as have room in a binding.
fn context_length(capabilities: &Capabilities, graph: &Graph, options: &ExecutorOptions) -> usize {
    let token_bytes = rows_bytes(graph.kv, options.kv, 1);
    let largest = largest(capabilities);
    // All of a text comes in one call, and each of its tokens has something to be kept.
    let widest = graph.activations.iter().map(|activation| activation.width);
    let widest = widest.chain([graph.out_width]).max().unwrap_or(1) as u64 * 4;
    let fresh = quantize_kv::fresh_bytes(graph.kv, options.kv, 1);
    let token_bytes = match graph.encodes() {
        true => token_bytes.max(widest).max(fresh),
        false => token_bytes,
    };
    let fits = largest / token_bytes;
    let asked = options
        .context_length
        .unwrap_or(graph.context_length)
        .min(graph.context_length);
    usize::try_from(fits)
        .unwrap_or(usize::MAX)
        .min(asked as usize)
}
