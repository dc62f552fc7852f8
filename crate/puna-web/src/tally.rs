//! How many of a model's bytes are there, and where they came from.

/// The counts of one load. Loaded is network plus cached, whatever happens, and at the end it is the total.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// Bytes of the file; 0 while nobody knows.
    file: u64,
    network: u64,
    cached: u64,
    unneeded: u64,
}

impl Tally {
    pub(crate) const fn set_file(&mut self, bytes: u64) {
        self.file = bytes;
    }

    /// Bytes of the file that came over the network and are put to use.
    pub(crate) const fn arrived(&mut self, bytes: u64) {
        self.network = self.network.saturating_add(bytes);
    }

    /// Bytes that had arrived, and turned out to be of no use.
    pub(crate) const fn lost(&mut self, bytes: u64) {
        self.network = self.network.saturating_sub(bytes);
    }

    /// Bytes of the file that came from this machine.
    pub(crate) const fn cached(&mut self, bytes: u64) {
        self.cached = self.cached.saturating_add(bytes);
    }

    /// Bytes of the file that are not there, and that nobody asks for.
    pub(crate) const fn unneeded(&mut self, bytes: u64) {
        self.unneeded = self.unneeded.saturating_add(bytes);
    }

    pub(crate) const fn network_bytes(&self) -> u64 {
        self.network
    }

    pub(crate) const fn cached_bytes(&self) -> u64 {
        self.cached
    }

    pub(crate) const fn loaded_bytes(&self) -> u64 {
        self.network.saturating_add(self.cached)
    }

    /// What loaded will be at the end; 0 while nobody knows. A file may go on behind what is known as its end, and a first request may
    /// bring some of that along.
    pub(crate) fn total_bytes(&self) -> u64 {
        if self.file == 0 {
            return 0;
        }
        self.file
            .saturating_sub(self.unneeded)
            .max(self.loaded_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Loaded, total, network, cached.
    fn seen(tally: &Tally) -> (u64, u64, u64, u64) {
        (
            tally.loaded_bytes(),
            tally.total_bytes(),
            tally.network_bytes(),
            tally.cached_bytes(),
        )
    }

    #[test]
    fn bytes_count_before_the_total_is_known() {
        let mut tally = Tally::default();
        tally.arrived(300);
        assert_eq!(seen(&tally), (300, 0, 300, 0), "only the header is here");
        tally.set_file(1000);
        assert_eq!(seen(&tally), (300, 1000, 300, 0), "the header is read");
    }

    #[test]
    fn bytes_that_come_twice_count_once() {
        let mut tally = Tally::default();
        tally.set_file(1000);
        tally.arrived(400);
        tally.lost(400);
        tally.arrived(600);
        tally.cached(400);
        assert_eq!(seen(&tally), (1000, 1000, 600, 400), "all of it, once");
    }

    #[test]
    fn what_nobody_needs_is_not_waited_for() {
        let mut tally = Tally::default();
        tally.set_file(1000);
        tally.arrived(900);
        tally.unneeded(100);
        assert_eq!(seen(&tally), (900, 900, 900, 0), "loaded is the total");
    }

    #[test]
    fn loaded_never_exceeds_the_total() {
        let mut tally = Tally::default();
        tally.arrived(1200);
        tally.set_file(1000);
        assert_eq!(seen(&tally), (1200, 1200, 1200, 0), "a longer file");
        tally.lost(9999);
        assert_eq!(seen(&tally), (0, 1000, 0, 0), "no wrap");
    }
}
