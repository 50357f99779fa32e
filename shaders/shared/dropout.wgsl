// A Real after dropout. In training an element is kept and scaled where its draw is at least the rate, both counted in
// 2^24ths; else it is 0.
fn with_dropout(value: Real, index: u32) -> Real {
    if batch.training == 0u {
        return value;
    }
    let kept = (draws(index) >> Index(8u)) >= Index(THRESHOLD);
    return select(Real(), SCALE * value, kept);
}
