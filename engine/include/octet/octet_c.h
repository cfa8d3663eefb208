/* SPDX-License-Identifier: Apache-2.0
 * The C API of octet: opaque handles and status codes; no exception crosses it, nothing is printed,
 * nothing exits. This is the only ABI; <octet/octet.h> wraps it inline for C++. */
#ifndef OCTET_OCTET_C_H
#define OCTET_OCTET_C_H

#include <stddef.h>
#include <stdint.h>

#if defined(OCTET_SHARED) && defined(__GNUC__)
#define OCTET_API __attribute__((visibility("default")))
#else
#define OCTET_API
#endif

#ifdef __cplusplus
#define OCTET_NOEXCEPT noexcept
extern "C" {
#else
#define OCTET_NOEXCEPT
#endif

#define OCTET_MAX_RANK 8
/* Grows when a struct below changes or a function goes; compare with octet_api_version(). */
#define OCTET_API_VERSION 1

typedef enum octet_status {
  OCTET_OK = 0,
  OCTET_IO = 1,          /* a file cannot be opened, read, mapped */
  OCTET_FORMAT = 2,      /* the bytes are not a valid model */
  OCTET_UNSUPPORTED = 3, /* a valid file that this version cannot run */
  OCTET_LIMIT = 4,       /* a limit of octet_limits, or memory, is exceeded */
  OCTET_ARGUMENT = 5,    /* the caller's mistake */
  OCTET_CPU = 6          /* an instruction set that this build or this CPU lacks */
} octet_status;

typedef struct octet_error {
  octet_status status;
  char message[1024]; /* file, node, both numbers; zero-terminated, cut if longer */
} octet_error;

typedef enum octet_dtype { OCTET_F32 = 0, OCTET_U8 = 1, OCTET_S8 = 2, OCTET_S32 = 3 } octet_dtype;

typedef struct octet_model octet_model;     /* immutable, may be shared between threads */
typedef struct octet_session octet_session; /* one run at a time */

/* A field of 0 means the default in brackets. */
typedef struct octet_limits {
  uint64_t file_bytes;    /* [4 GiB] also of the parameters in memory, before packing */
  uint64_t tensors;       /* [65536], nodes alike */
  uint64_t arena_bytes;   /* [256 MiB] per task of a session */
  uint64_t multiply_adds; /* [2^40] per sample */
} octet_limits;

typedef struct octet_load_options {
  const char* isa; /* null: $OCTET_ISA if set and not empty, else the best this CPU runs */
  /* Zero: the file is mapped while it is loaded; if another process shortens it then, the kernel
   * sends SIGBUS, and that is the host's risk. Nonzero: the file is read into memory, and one that
   * is shortened meanwhile is OCTET_IO. A loaded model needs its file no more either way. */
  int copy;
  octet_limits limits;
} octet_load_options;

/* A graph input or output. shape[0] is -1: the batch. */
typedef struct octet_tensor_info {
  const char* name; /* lives as long as the model */
  octet_dtype dtype;
  uint32_t rank;
  int64_t shape[OCTET_MAX_RANK];
  size_t sample_bytes; /* bytes of one sample: dense, row-major */
  float scale;         /* 8-bit: real = scale * (q - zero_point); else 0 */
  int32_t zero_point;
  int has_normalization; /* pixel inputs: real = (p / 255 - mean) / std was used in training */
  float mean;
  float std;
} octet_tensor_info;

/* Runs fn(context, task) once for each task in [0, tasks), possibly at the same time, and returns
 * when all are done. tasks <= concurrency. Must not throw. */
typedef void (*octet_task)(void* context, size_t task);
typedef struct octet_executor {
  void* self;
  size_t (*concurrency)(void* self);
  void (*run)(void* self, size_t tasks, octet_task fn, void* context);
} octet_executor;

typedef struct octet_session_options {
  const octet_executor*
      executor; /* null: the calling thread. Copied; what self points to must outlive the session */
  void* arena;  /* null: the session allocates. Else 64-byte aligned, octet_session_arena_bytes() */
  size_t arena_bytes;
} octet_session_options;

typedef struct octet_input {
  const void* data; /* any alignment */
  size_t bytes;     /* exactly batch * sample_bytes */
} octet_input;

typedef struct octet_output {
  void* data;
  size_t bytes;
} octet_output;

OCTET_API uint32_t octet_api_version(void) OCTET_NOEXCEPT;
OCTET_API const char* octet_version(void) OCTET_NOEXCEPT; /* "0.1.0" */
OCTET_API const char* octet_status_name(octet_status status) OCTET_NOEXCEPT;

/* options and error may be null. On failure *model is null. */
OCTET_API octet_status octet_model_load(const char* path, const octet_load_options* options,
                                        octet_model** model, octet_error* error) OCTET_NOEXCEPT;
/* name stands for the path in messages. data is not used after the call. */
OCTET_API octet_status octet_model_parse(const void* data, size_t bytes, const char* name,
                                         const octet_load_options* options, octet_model** model,
                                         octet_error* error) OCTET_NOEXCEPT;
OCTET_API void octet_model_free(octet_model* model)
    OCTET_NOEXCEPT; /* null is fine; sessions keep what they need */

OCTET_API size_t octet_model_inputs(const octet_model* model) OCTET_NOEXCEPT;
OCTET_API size_t octet_model_outputs(const octet_model* model) OCTET_NOEXCEPT;
/* index out of range: OCTET_ARGUMENT, *info untouched. */
OCTET_API octet_status octet_model_input(const octet_model* model, size_t index,
                                         octet_tensor_info* info) OCTET_NOEXCEPT;
OCTET_API octet_status octet_model_output(const octet_model* model, size_t index,
                                          octet_tensor_info* info) OCTET_NOEXCEPT;
/* The kernel table the model was packed for: "avx512vnni". "amx_int8" needs tiles: the first model
   that is loaded for it, or for the best table where the CPU has AMX, asks Linux for them, for the
   whole process (arch_prctl, ARCH_REQ_XCOMP_PERM). From then on sigaltstack() refuses stacks
   without room for their 8 KB; where a thread has one already Linux refuses tiles, and the best
   table is "avx512vnni". */
OCTET_API const char* octet_model_isa(const octet_model* model) OCTET_NOEXCEPT;

/* Bytes of arena that a session with this many tasks (the executor's concurrency) needs. */
OCTET_API size_t octet_session_arena_bytes(const octet_model* model,
                                           size_t concurrency) OCTET_NOEXCEPT;
OCTET_API octet_status octet_session_create(const octet_model* model,
                                            const octet_session_options* options,
                                            octet_session** session,
                                            octet_error* error) OCTET_NOEXCEPT;
OCTET_API void octet_session_free(octet_session* session) OCTET_NOEXCEPT;
/* Allocates nothing. batch 0 is a no-op. A wrong count or size gives OCTET_ARGUMENT and touches
 * nothing. Outputs must not overlap inputs or each other. The result of a sample depends on that
 * sample alone: not on the batch, the number of threads or the instruction set. */
OCTET_API octet_status octet_session_run(octet_session* session, const octet_input* inputs,
                                         size_t input_count, const octet_output* outputs,
                                         size_t output_count, size_t batch) OCTET_NOEXCEPT;

/* Executors that ship with octet: a pool of std::thread, and oneTBB's task_arena (OCTET_UNSUPPORTED
 * in a build without oneTBB). threads >= 1 counts the calling thread. Threads of the pool spin for
 * 0.1 ms after their last task before they sleep, and may be inherited by fork: a child's runs do
 * without them. */
OCTET_API octet_status octet_thread_executor_create(size_t threads, octet_executor* executor,
                                                    octet_error* error) OCTET_NOEXCEPT;
OCTET_API octet_status octet_tbb_executor_create(size_t threads, octet_executor* executor,
                                                 octet_error* error) OCTET_NOEXCEPT;
OCTET_API void octet_executor_free(octet_executor* executor) OCTET_NOEXCEPT; /* of the two above */

#ifdef __cplusplus
}
#endif
#endif
