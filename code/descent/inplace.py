"""Adam for large arrays: in place, in blocks that fit the cache.

The readable rule `descent.adam` makes a new array for every operation.  Here
the same equations write into arrays that exist, and go through them in
blocks: what an operation leaves in the cache, the next one finds there.  The
order of the operations is that of equations (8.3) and (8.4), two passes less,
so the result differs from the readable rule's by rounding.
"""

from copy import deepcopy

import numpy as np

from descent.loop import checked_numbers, checked_start

# of each of the five arrays; together they fit the second-level cache of a
# current processor; half or twice as much costs little, see
# benchmarks/step_cost.py --blocks
BLOCK_BYTES = 128 * 1024


class InPlaceAdam:
    """Adam that changes the array `theta` itself.

    m_t = β₁ m_{t-1} + (1 − β₁) g_t                                     (A1)
    v_t = β₂ v_{t-1} + (1 − β₂) g_t²                                    (A2)
    θ_t = θ_{t-1} − α_t m_t / (√v_t + ε̂_t)       (A3) to (A5), in the form of
    α_t = α √(1 − β₂^t) / (1 − β₁^t)                                    (8.3)
    ε̂_t = ε √(1 − β₂^t)                                                 (8.4)

    theta : a writable array of floats of any shape, contiguous or 1-D; it is
        changed by every step, and so is every view of it
    alpha, beta1, beta2, eps : numbers, with the defaults of `descent.adam`;
        the attributes may be changed between steps, for a schedule
    block_bytes : bytes of one array in a block

    The fields are `theta`, `m`, `v` (arrays, kept) and `t`.  A NaN in the
    gradient is not looked for: that would be a pass of its own.  A copy, or
    what `pickle` brings back, has arrays of its own and goes on where this one
    stands.

    >>> theta = np.array([1.0, 1.0])
    >>> optimizer = InPlaceAdam(theta, alpha=0.25, eps=0.0)
    >>> optimizer.step(np.array([4.0, -0.5]))
    >>> theta
    array([0.75, 1.25])
    """

    def __init__(self, theta, *, alpha=0.001, beta1=0.9, beta2=0.999,
                 eps=1e-8, block_bytes=BLOCK_BYTES):
        if not isinstance(theta, np.ndarray) or theta.dtype.kind != "f":
            raise TypeError(f"theta is {theta!r:.60}, but it must be an array "
                            "of floats: it is changed in place")
        if not theta.flags.writeable:
            raise ValueError("theta is read-only, but it is changed in place")
        checked_start(theta)
        if theta.size and not np.shares_memory(theta.reshape(-1), theta):
            raise ValueError(
                f"theta has shape {theta.shape} and strides {theta.strides}: "
                "it must be contiguous (or 1-D) to be changed block by block")
        if block_bytes < theta.itemsize:
            raise ValueError(f"block_bytes = {block_bytes} must be at least "
                             f"{theta.itemsize}, one number")
        self.theta, self.t = theta, 0
        self.alpha, self.beta1, self.beta2, self.eps = alpha, beta1, beta2, eps
        self._seen = (None,) * 4  # what was looked at last
        self._hyperparameters()
        self.m = np.zeros(theta.shape, theta.dtype)
        self.v = np.zeros(theta.shape, theta.dtype)
        self._block = int(block_bytes // theta.itemsize)
        self._view()

    def _hyperparameters(self):
        """α, β₁, β₂ and ε, looked at again where they were changed."""
        now = self.alpha, self.beta1, self.beta2, self.eps
        if any(a is not b for a, b in zip(now, self._seen)):
            for name, value in zip(("alpha", "beta1", "beta2", "eps"), now):
                if np.ndim(value):
                    raise ValueError(f"{name} = {value} must be one number: a "
                                     "grid of settings is what descent.adam is for")
                checked_numbers(name, value, float)
            self._seen = now
        return map(float, now)

    def _view(self):
        """Flat views of the arrays, and scratch space: made anew, never stored or copied."""
        self._theta, self._m, self._v = (
            x.reshape(-1) for x in (self.theta, self.m, self.v))
        self._scratch = np.empty(min(self._block, self.theta.size),
                                 self.theta.dtype)

    def __getstate__(self):
        views = "_theta", "_m", "_v", "_scratch"
        return {k: x for k, x in self.__dict__.items() if k not in views}

    def __setstate__(self, state):
        self.__dict__.update(state)
        # in memory as the views need them, however they were stored
        for name in "theta", "m", "v":
            setattr(self, name, np.ascontiguousarray(getattr(self, name)))
        self._view()

    def __copy__(self):
        return deepcopy(self)  # two optimizers on one m would spoil it

    def step(self, g):
        """Make one step with the gradient `g`, of theta's shape."""
        g = np.asarray(g, dtype=self._theta.dtype)
        if g.shape != self.theta.shape:
            raise ValueError(f"the gradient has shape {g.shape}, but theta "
                             f"has shape {self.theta.shape}")
        g = g.reshape(-1)
        if any(np.may_share_memory(g, x)
               for x in (self._theta, self._m, self._v)):
            g = g.copy()  # or a block would change what a later block reads
        alpha, beta1, beta2, eps = self._hyperparameters()
        self.t += 1
        root = (1 - beta2**self.t) ** 0.5
        alpha_t = alpha * root / (1 - beta1**self.t)  # (8.3)
        eps_t = eps * root  # (8.4)
        hyper = beta1, beta2, alpha_t, eps_t
        arrays = self._theta, g, self._m, self._v
        if g.size <= self._block:
            _adam(*arrays, self._scratch, *hyper)
            return
        for i in range(0, g.size, self._block):
            theta, g, m, v = (x[i:i + self._block] for x in arrays)
            _adam(theta, g, m, v, self._scratch[:g.size], *hyper)


def _adam(theta, g, m, v, s, beta1, beta2, alpha_t, eps_t):
    """One step on arrays that fit the cache; s is scratch space."""
    np.multiply(g, 1 - beta1, out=s)
    np.multiply(m, beta1, out=m)
    np.add(m, s, out=m)  # m = β₁ m + (1 − β₁) g
    np.square(g, out=s)
    np.multiply(s, 1 - beta2, out=s)
    np.multiply(v, beta2, out=v)
    np.add(v, s, out=v)  # v = β₂ v + (1 − β₂) g²
    np.sqrt(v, out=s)
    np.add(s, eps_t, out=s)
    if s.dtype.type(eps_t) == 0:  # in this precision
        s[(s == 0) & (m == 0)] = 1  # 0 / 0 = 0, as in `descent.rules.divide`
    np.divide(m, s, out=s)
    np.multiply(s, alpha_t, out=s)
    np.subtract(theta, s, out=theta)  # θ = θ − α_t m / (√v + ε̂_t)
