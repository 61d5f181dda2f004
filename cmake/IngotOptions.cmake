# Compile options shared by everything we build: warnings are errors in our
# code, sanitizers come from INGOT_SANITIZE, ccache is used where present.

find_program(INGOT_CCACHE ccache)
if(INGOT_CCACHE)
  # clang's precompiled headers carry timestamps unless told otherwise.
  set(INGOT_CCACHE_COMMAND ${CMAKE_COMMAND} -E env
      CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
      ${INGOT_CCACHE})
  set(CMAKE_C_COMPILER_LAUNCHER ${INGOT_CCACHE_COMMAND})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${INGOT_CCACHE_COMMAND})
endif()

# Applied to every target of ours; generated and third-party sources that
# cannot meet it set their own flags.
add_library(ingot_options INTERFACE)
target_compile_options(ingot_options INTERFACE -Wall -Wextra -Werror
                       -Wno-unused-parameter
  # gcc 12 takes std::string's operator+ for overlapping copies, and an empty
  # std::optional for one whose value is read.
  $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>
  $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)
if(INGOT_SANITIZE)
  target_compile_options(ingot_options INTERFACE
    -fsanitize=${INGOT_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(ingot_options INTERFACE -fsanitize=${INGOT_SANITIZE})
endif()

# lld links faster than GNU ld and knows the objects of our own linker.
find_program(INGOT_LLD NAMES ld.lld-22)
if(INGOT_LLD AND CMAKE_CXX_COMPILER_ID MATCHES Clang)
  add_link_options(-fuse-ld=${INGOT_LLD})
endif()
