//! Adapter, limits, what the device can do, and the news that it is lost.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use puna_core::{Error, ErrorCode, Result};

/// What to ask for.
#[derive(Clone, Debug, Default)]
pub struct GpuOptions {
    /// Part of the adapter's name, any case: `"lavapipe"`. Natively only; a browser has one adapter.
    pub adapter: Option<String>,
}

/// What the device can do, asked at run time.
#[derive(Clone, Debug)]
pub struct Capabilities {
    /// 16-bit floats in shaders.
    pub f16: bool,
    /// Subgroup operations, with the smallest and largest size of a subgroup.
    pub subgroups: Option<(u32, u32)>,
    /// Whether the shader compiler demands `enable subgroups;`.
    pub wants_enable_subgroups: bool,
    /// The adapter computes on the CPU.
    pub is_software: bool,
    /// How often all loops of a shader together go round at most, [`u32::MAX`] where nothing bounds them; an executor asks the
    /// driver where that is not known.
    pub loop_bound: Option<u32>,
    /// Bytes of the largest binding.
    pub max_binding_bytes: u64,
    /// Bytes of the largest buffer.
    pub max_buffer_bytes: u64,
}

/// How many objects were made: the token loop must make none.
#[derive(Debug, Default)]
pub struct Counters {
    /// Buffers.
    pub buffers: AtomicU32,
    /// Bind groups.
    pub bind_groups: AtomicU32,
    /// Pipelines.
    pub pipelines: AtomicU32,
    /// Command buffers submitted with work in them.
    pub submits: AtomicU32,
    /// Dispatches recorded for steps.
    pub dispatches: AtomicU32,
    /// Steps: chunks of a prompt, and single tokens.
    pub steps: AtomicU32,
    /// Projections whose ways are not measured yet.
    pub untuned: AtomicU32,
}

impl Counters {
    pub(crate) fn tick(counter: &AtomicU32) {
        counter.fetch_add(1, Ordering::Relaxed);
    }
}

/// An open device.
#[derive(Clone, Debug)]
pub struct Gpu {
    /// The device.
    pub device: wgpu::Device,
    /// Its queue.
    pub queue: wgpu::Queue,
    /// What the adapter says of itself.
    pub info: wgpu::AdapterInfo,
    /// What it can do.
    pub capabilities: Capabilities,
    /// Objects made.
    pub counters: Arc<Counters>,
    health: Arc<Health>,
}

#[derive(Debug, Default)]
struct Health {
    lost: AtomicBool,
    /// The first thing that went wrong outside any error scope.
    fault: Mutex<Option<(ErrorCode, String)>>,
}

impl Health {
    fn report(&self, code: ErrorCode, message: String) {
        if let Ok(mut fault) = self.fault.lock() {
            fault.get_or_insert((code, message));
        }
    }
}

impl Gpu {
    /// Opens the best adapter with all the limits and features that it has.
    ///
    /// # Errors
    /// `unsupported_device` when there is no adapter or it gives no device.
    pub async fn request(options: &GpuOptions) -> Result<Self> {
        let adapter = find_adapter(options).await?;
        let info = adapter.get_info();
        let offered = adapter.features();
        let wanted =
            wgpu::Features::SHADER_F16 | wgpu::Features::SUBGROUP | wgpu::Features::TIMESTAMP_QUERY;
        let limits = adapter.limits();
        let descriptor = wgpu::DeviceDescriptor {
            label: Some("puna"),
            required_features: offered & wanted,
            required_limits: limits.clone(),
            ..Default::default()
        };
        let (device, queue) = adapter.request_device(&descriptor).await.map_err(|error| {
            Error::new(
                ErrorCode::UnsupportedDevice,
                format!("the adapter {:?} gave no device: {error}", info.name),
            )
        })?;

        let health = Arc::new(Health::default());
        let lost = Arc::clone(&health);
        device.set_device_lost_callback(move |reason, message| {
            lost.lost.store(true, Ordering::Relaxed);
            lost.report(
                ErrorCode::DeviceLost,
                format!(
                    "the GPU was lost ({reason:?}): {message}; the model has to be loaded again"
                ),
            );
        });
        let faulty = Arc::clone(&health);
        device.on_uncaptured_error(Arc::new(move |error| match error {
            wgpu::Error::OutOfMemory { .. } => faulty.report(
                ErrorCode::OutOfMemory,
                "the GPU has no memory left".to_owned(),
            ),
            other => faulty.report(
                ErrorCode::Internal,
                format!("the GPU refused a command: {other}"),
            ),
        }));

        let features = device.features();
        let subgroups = features
            .contains(wgpu::Features::SUBGROUP)
            .then_some((info.subgroup_min_size, info.subgroup_max_size));
        let capabilities = Capabilities {
            f16: features.contains(wgpu::Features::SHADER_F16),
            subgroups: subgroups.filter(|&(min, max)| min >= 4 && max >= min && max <= 128),
            wants_enable_subgroups: cfg!(target_arch = "wasm32"),
            is_software: is_software(&info),
            loop_bound: None,
            max_binding_bytes: limits.max_storage_buffer_binding_size,
            max_buffer_bytes: limits.max_buffer_size,
        };
        Ok(Self {
            device,
            queue,
            info,
            capabilities,
            counters: Arc::default(),
            health,
        })
    }

    /// Tells that the device was opened with subgroups, which wgpu's web backend neither asks for nor
    /// reports; their sizes are in the adapter's info.
    pub fn enable_subgroups(&mut self) {
        let (min, max) = (self.info.subgroup_min_size, self.info.subgroup_max_size);
        if min >= 4 && max >= min && max <= 128 && min.is_power_of_two() && max.is_power_of_two() {
            self.capabilities.subgroups = Some((min, max));
        }
    }

    /// Fails when the device is lost, or when a command was refused since it was opened.
    ///
    /// # Errors
    /// `device_lost`, `out_of_memory` or `internal`, the same one from then on.
    pub fn check(&self) -> Result<()> {
        match self.health.fault.lock() {
            Ok(fault) => match &*fault {
                Some((code, message)) => Err(Error::new(*code, message.clone())),
                None => Ok(()),
            },
            Err(_) => Err(Error::internal(
                "the device's state is unreadable after a panic",
            )),
        }
    }

    /// Whether the device is lost.
    #[must_use]
    pub fn is_lost(&self) -> bool {
        self.health.lost.load(Ordering::Relaxed)
    }

    /// A buffer of `bytes`, rounded up to whole words; at least one.
    #[must_use]
    pub fn buffer(&self, label: &str, bytes: u64, usage: wgpu::BufferUsages) -> wgpu::Buffer {
        Counters::tick(&self.counters.buffers);
        self.device.create_buffer(&wgpu::BufferDescriptor {
            label: Some(label),
            size: bytes.next_multiple_of(4).max(16),
            usage,
            mapped_at_creation: false,
        })
    }

    /// Runs `make` and reports what the GPU refused in it: an allocation or a shader.
    ///
    /// # Errors
    /// `out_of_memory` naming `what`, or `code` with the GPU's own words.
    pub async fn scoped<T>(
        &self,
        what: &str,
        code: ErrorCode,
        make: impl FnOnce() -> T,
    ) -> Result<T> {
        let memory = self.device.push_error_scope(wgpu::ErrorFilter::OutOfMemory);
        let validation = self.device.push_error_scope(wgpu::ErrorFilter::Validation);
        let made = make();
        let (refused, full) = (validation.pop(), memory.pop());
        let (refused, full) = (refused.await, full.await);
        // Memory first: what could not be allocated is refused wherever it is used.
        if let Some(error) = full {
            return Err(Error::new(
                ErrorCode::OutOfMemory,
                format!("{what}: the GPU has no memory left for it ({error})"),
            ));
        }
        if let Some(error) = refused {
            return Err(Error::new(code, format!("{what}: {error}")));
        }
        Ok(made)
    }
}

async fn find_adapter(options: &GpuOptions) -> Result<wgpu::Adapter> {
    let mut descriptor = wgpu::InstanceDescriptor::new_without_display_handle();
    descriptor.backends = if cfg!(target_arch = "wasm32") {
        wgpu::Backends::BROWSER_WEBGPU
    } else {
        wgpu::Backends::PRIMARY
    };
    let instance = wgpu::Instance::new(descriptor);
    if let Some(name) = &options.adapter {
        let adapters = instance.enumerate_adapters(wgpu::Backends::all()).await;
        let names: Vec<_> = adapters
            .iter()
            .map(|adapter| adapter.get_info().name)
            .collect();
        let wanted = name.to_lowercase();
        // It calls itself by its compiler.
        let wanted = wanted.replace("lavapipe", "llvmpipe");
        let matches =
            |adapter: &wgpu::Adapter| adapter.get_info().name.to_lowercase().contains(&wanted);
        return adapters.into_iter().find(matches).ok_or_else(|| {
            Error::new(
                ErrorCode::UnsupportedDevice,
                format!("no adapter is called {name:?}; there are {names:?}"),
            )
        });
    }
    let request = wgpu::RequestAdapterOptions {
        power_preference: wgpu::PowerPreference::HighPerformance,
        ..Default::default()
    };
    instance.request_adapter(&request).await.map_err(|error| {
        Error::new(
            ErrorCode::UnsupportedDevice,
            format!("no GPU adapter: {error}. Turn on hardware acceleration, update the graphics driver, or try another browser"),
        )
    })
}

fn is_software(info: &wgpu::AdapterInfo) -> bool {
    let words = format!("{} {} {}", info.name, info.driver, info.driver_info);
    info.device_type == wgpu::DeviceType::Cpu || is_software_name(&words)
}

/// Whether an adapter that calls itself so is a GPU that the processor imitates.
#[must_use]
pub fn is_software_name(words: &str) -> bool {
    let words = words.to_lowercase();
    let known = [
        "swiftshader",
        "llvmpipe",
        "lavapipe",
        "basic render",
        "warp",
    ];
    known.iter().any(|name| words.contains(name))
}
