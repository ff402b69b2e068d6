"""What type checkers must refuse: every line that is marked, and no other."""

import aurorax_pandas as ap

df = ap.load_sample_conjunctions()
df.aurorax.closst(1)  # refused
df.aurorax.closest("x")  # refused
df.aurorax.within(200, how="most")  # refused
df.aurorax.plot.timelin()  # refused
df.aurorax.to_csv("a.csv", overwrit=True)  # refused
df.aurorax.closest(1).aurorax.nearest()  # refused
ap.clossest(df)  # refused
ap.AuroraxDatasetAccessor(df.aurorax.to_xarray()).within("near")  # refused
ap.closest(df, 1)
