#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Cycles of one call of a kernel on models of ARM cores.

qemu writes down which instructions the call executes; llvm-mca runs them through a model of each core: its ports,
latencies and window, with every load a hit in L1 and every branch foreseen.
"""
import re
import subprocess
import sys
import tempfile

# Per table: the multiply-adds of the instruction that multiplies (smull, sdot, smmla), and the cores that are likely to
# run it, with how many of these instructions they start per cycle.
TABLES = {
    "neon": (8, {"cortex-a57": 1, "cortex-a53": 1}),
    "neon_dotprod": (16, {"neoverse-n1": 2, "cortex-a55": 1}),
    "neon_i8mm": (32, {"neoverse-n2": 2, "neoverse-v1": 4}),
}
SHAPES = [(784, 100), (100, 100), (100, 10), (512, 512)]
FUNCTIONS = ["quantize", "dequantize", "clamp_q8", "add_q8", "lookup", "flip", "range", "dequantize_sums", "clamp_f32",
             "add_f32", "affine_f32"]
ELEMENTS = 784


def output(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def trace(program, marks, *arguments):
    """Addresses of the instructions executed between the marks, in order."""
    with tempfile.NamedTemporaryFile("r") as log:
        output("qemu-aarch64-static", "-cpu", "max,sve=off", "-singlestep", "-d", "exec,nochain", "-D", log.name,
               program, *arguments)
        executed = [int(pc, 16) for pc in re.findall(r"/([0-9a-f]{16})/", log.read())]
    return executed[executed.index(marks["mark_begin"]) : executed.index(marks["mark_end"])]


def plain(instruction):
    """As llvm-mca takes it: a branch, a page's address and a system register cost their slot."""
    instruction = re.sub(r"\s*(//|<).*", "", instruction)
    name = instruction.split()[0]
    if re.match(r"b\.|(bl?|br|blr|ret|cbn?z|tbn?z|mrs)$", name):
        return "nop"
    return f"mov {instruction.split()[1]} #0" if name == "adrp" else instruction


def run(llvm_mca, core, instructions):
    """Cycles of the instructions on a core's model."""
    with tempfile.NamedTemporaryFile("w", suffix=".s") as file:
        file.write("\n".join(instructions) + "\n")
        file.flush()
        report = output(llvm_mca, "-mtriple=aarch64", f"-mcpu={core}", "-mattr=+dotprod,+i8mm", "-iterations=1",
                        "-instruction-info=0", "-resource-pressure=0", file.name)
    return int(re.search(r"Total Cycles:\s+(\d+)", report)[1])


def main(program, llvm_mca):
    code = dict(re.findall(r"^\s+([0-9a-f]+):\s+(\S.*)$", output(
        "aarch64-linux-gnu-objdump", "-d", "--no-show-raw-insn", "-M", "no-aliases", program), re.M))
    code = {int(pc, 16): plain(text) for pc, text in code.items()}
    marks = {name: int(pc, 16) for pc, name in re.findall(
        r"^(\w+) T (mark_\w+)$", output("aarch64-linux-gnu-nm", program), re.M)}
    print("cycles, and multiply-adds as a percentage of what the core's multipliers can do")
    for table, (multiplies, cores) in TABLES.items():
        print(f"\n{table:>12}     m  instructions" + "".join(f"{core:>20}" for core in cores))
        for k, n in SHAPES:
            for m in (1, 4, 16):
                instructions = [code[pc] for pc in trace(program, marks, table, str(m), str(k), str(n))]
                row = f"{k:>5}x{n:<6}{m:>6}{len(instructions):>14}"
                for core, starts in cores.items():
                    cycles = run(llvm_mca, core, instructions)
                    row += f"{cycles:>12}{100 * m * n * k / (multiplies * starts * cycles):>6.1f} %"
                print(row, flush=True)
    cores = [core for _, of_table in TABLES.values() for core in of_table]
    print(f"\ncycles of elementwise functions, {ELEMENTS} elements\n")
    print(f"{'':>18}  instructions" + "".join(f"{core:>14}" for core in cores))
    for function in FUNCTIONS:
        instructions = [code[pc] for pc in trace(program, marks, "neon", function, str(ELEMENTS))]
        print(f"{function:>18}{len(instructions):>14}" +
              "".join(f"{run(llvm_mca, core, instructions):>14}" for core in cores), flush=True)


main(*sys.argv[1:])
