//! From files that a user has chosen to a header and a plan: a GGUF, the parts of a split one, or a checkpoint's files.

use puna_core::adapter::ADAPTER_CONFIG;
use puna_core::checkpoint::{CONFIG, POOLING};
use puna_core::sorted::sorted;
use puna_core::weights::header::Header;
use puna_core::weights::plan::{CHUNK_BYTES, Plan};
use puna_core::weights::split::{Part, join};
use puna_core::{Error, Result};

use crate::checkpoint;
use crate::fetch::Context;
use crate::local_file::LocalFile;
use crate::open::read_header;
use crate::parts::Parts;
use crate::ranged::Ranged as _;

/// What [`POOLING`] has and [`CONFIG`] has not, and where.
const POOLING_KEY: &[u8] = b"\"pooling_mode";
const MAX_POOLING_BYTES: u32 = 64 << 10;

/// Opens the model that the files are.
pub(crate) async fn open_local(
    context: Context<'_>,
    mut files: Vec<LocalFile>,
) -> Result<(Parts<LocalFile>, Header, Plan)> {
    // Of a folder's file in a folder only the name is known here.
    for file in files.iter_mut().filter(|file| file.name == CONFIG) {
        let front = file.head(MAX_POOLING_BYTES).await?.to_vec();
        if front.windows(POOLING_KEY.len()).any(|at| at == POOLING_KEY) {
            POOLING.clone_into(&mut file.name);
        }
    }
    let settings = if context.of_adapter {
        ADAPTER_CONFIG
    } else {
        CONFIG
    };
    if files.iter().any(|file| file.name == settings) {
        // Whatever else is in the folder is left alone.
        let mut take = |name: &str| {
            let ix = files.iter().position(|file| file.name == name)?;
            Some(files.swap_remove(ix))
        };
        let (header, plan, files) = checkpoint::open(context, &mut take).await?;
        let files = files.into_iter().map(|file| file.file).collect();
        return Ok((Parts::new(&header.starts, files), header, plan));
    }
    let mut parts = Vec::new();
    for file in files {
        let named = |error: Error| match file.name.as_str() {
            "" => error,
            name => error.context(name),
        };
        let header = read_header(&file).await.map_err(named)?;
        let no = Part::of(&header).map_err(named)?.map_or(0, |part| part.no);
        parts.push((no, header, file));
    }
    let parts = sorted(parts, &|(a, _, _), (b, _, _)| a.cmp(b));
    let (mut headers, mut files) = (Vec::new(), Vec::new());
    for (_, header, file) in parts {
        headers.push((header, file.size()));
        files.push(file);
    }
    let (header, bytes) = join(headers)?;
    let plan = Plan::new(&header, bytes, CHUNK_BYTES)?;
    Ok((Parts::new(&header.starts, files), header, plan))
}
