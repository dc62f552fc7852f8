// A projection that no adapter adds to.
fn add_low_rank(row: u32, t0: u32, last: u32, first: u32, stride: u32, sum: ptr<function, Sums>) {
}
