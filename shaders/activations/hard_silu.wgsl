// y = x * min(max(x + 3, 0), 6) / 6: 0 up to -3, x from 3 on.
fn activation(x: Real) -> Real {
    let between = x * ((x + 3.0) * (1.0 / 6.0));
    return select(select(between, x, x >= Real(3.0)), Real(), x <= Real(-3.0));
}

// dx = dy * (x / 3 + 1/2) where -3 < x < 3, dy from 3 on, else 0, by the input x: y falls and rises.
fn activation_gradient(x: Real, dy: Real) -> Real {
    let between = dy * (x * (1.0 / 3.0) + 0.5);
    return select(select(between, dy, x >= Real(3.0)), Real(), x <= Real(-3.0));
}
