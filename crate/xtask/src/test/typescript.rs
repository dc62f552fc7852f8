//! The checks of `www/`: lint, types, unit tests.

use super::counts::Counts;
use crate::node;
use crate::outcome::Result;
use crate::www;

/// What each npm script did.
pub(super) fn run() -> Result<Vec<(&'static str, Counts)>> {
    let mut done = Vec::new();
    for script in ["lint", "typecheck"] {
        let well = node::script(&www::folder(), script).lines(|line| println!("{line}"))?;
        let passed = usize::from(well);
        done.push((
            script,
            Counts::of(passed, Vec::new()).settle(well, &format!("`npm run {script}`")),
        ));
    }
    let mut counts = Counts::default();
    let well = node::script(&www::folder(), "test").lines(|line| {
        println!("{line}");
        counts.read_node(line);
    })?;
    done.push(("test", counts.settle(well, "`npm run test`")));
    Ok(done)
}
