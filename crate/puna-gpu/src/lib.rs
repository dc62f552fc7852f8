//! The wgpu executor: runs a [`puna_core::graph::Graph`] on WebGPU in the browser and on Vulkan natively.
//!
//! Knows no HTTP and no model's name. From the graph it makes, once, buffers, pipelines and bind
//! groups ([`executor`]); a step is a replay of them. Weights come as raw ranges of the file and are
//! rearranged into planes on the GPU ([`upload`]).
#![forbid(unsafe_code)]

pub mod arena;
pub mod choices;
mod chunks;
pub mod device;
pub mod executor;
pub mod fit;
pub mod kernel;
mod kv_cache;
pub mod kv_rows;
mod memory;
mod pace;
pub mod pipeline;
pub mod program;
mod projection;
pub mod readback;
mod run_ahead;
mod sampler;
pub mod shader;
pub mod split;
mod tape;
pub mod upload;
pub mod way;

pub use device::{Gpu, GpuOptions};
pub use executor::measure::Kernel;
pub use executor::{Executor, ExecutorOptions};
pub use puna_core::graph::Wanted;
pub use run_ahead::Clock;
