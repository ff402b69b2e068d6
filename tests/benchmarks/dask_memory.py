"""A dataset four times larger than the memory limit of a worker, summed up by pair without exceeding it."""

import shutil
import tempfile
from importlib import util
from pathlib import Path

import aurorax_pandas as ap
from aurorax_pandas.frame import model

LIMIT = 1_000_000_000
FILES_OF = 50_000


def conjunctions():
    place = Path(__file__).with_name("export.py")
    spec = util.spec_from_file_location("export_benchmark", place)
    module = util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.conjunctions(FILES_OF, FILES_OF * 7 // 2)


def main() -> None:
    import psutil
    from distributed import Client, LocalCluster

    df = conjunctions()
    size = sum(model.pa.array(df[name].array.list_array).nbytes if name in ("data_sources", "events")
               else df[name].memory_usage(index=False) for name in df.columns)  # fmt: skip
    count = -(-4 * LIMIT // size)
    with tempfile.TemporaryDirectory() as folder:
        first = Path(folder) / "0000.parquet"
        df.aurorax.to_parquet(first)
        for number in range(1, count):
            shutil.copy(first, first.with_name(f"{number:04}.parquet"))
        with LocalCluster(
            n_workers=1, threads_per_worker=1, memory_limit=LIMIT, dashboard_address=None
        ) as cluster, Client(cluster) as client:  # fmt: skip
            summary = ap.load_conjunctions(f"{folder}/*.parquet", engine="dask").aurorax.pair_summary()
            found = client.compute(summary)
            peak = 0
            worker = psutil.Process(next(iter(client.run(lambda: __import__("os").getpid()).values())))
            while not found.done():
                peak = max(peak, worker.memory_info().rss)
                found.status in ("finished", "error") or client.sync(_pause)
            result = found.result()
    print(f"{count} files, {count * size / 1e9:.2f} GB in memory, limit {LIMIT / 1e9:.2f} GB, peak {peak / 1e9:.2f} GB")
    print(f"{len(result)} pairs; equal counts: {(result['count'] == count * df.aurorax.pair_summary()['count']).all()}")


async def _pause() -> None:
    import asyncio

    await asyncio.sleep(0.1)


if __name__ == "__main__":
    main()
