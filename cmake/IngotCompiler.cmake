# What the compiler half needs: LLVM/MLIR 22 as shared libraries, TableGen
# helpers, one precompiled header, and ingot_add_library().

# Debian keeps each LLVM release under its own prefix.
find_package(MLIR 22.1 REQUIRED CONFIG
  HINTS /usr/lib/llvm-22 ENV LLVM_PREFIX PATH_SUFFIXES lib/cmake/mlir)
list(APPEND CMAKE_MODULE_PATH ${MLIR_CMAKE_DIR} ${LLVM_CMAKE_DIR})
include(TableGen)
include(AddLLVM)
include(AddMLIR)

# TableGen takes its search path from the directory property.
include_directories(SYSTEM ${LLVM_INCLUDE_DIRS} ${MLIR_INCLUDE_DIRS})
include_directories(${PROJECT_SOURCE_DIR} ${PROJECT_SOURCE_DIR}/include)

add_library(ingot_mlir INTERFACE)
target_include_directories(ingot_mlir SYSTEM INTERFACE ${LLVM_INCLUDE_DIRS} ${MLIR_INCLUDE_DIRS})
target_include_directories(ingot_mlir INTERFACE
  ${PROJECT_SOURCE_DIR}/include ${PROJECT_SOURCE_DIR} ${PROJECT_BINARY_DIR}
  ${PROJECT_BINARY_DIR}/include)
target_compile_options(ingot_mlir INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-fno-exceptions>)
target_link_libraries(ingot_mlir INTERFACE MLIR LLVM ingot_options)

# One precompiled header serves every compiler library and tool.
add_library(ingot_pch OBJECT ${PROJECT_SOURCE_DIR}/cmake/pch.cpp)
target_link_libraries(ingot_pch PRIVATE ingot_mlir)
add_dependencies(ingot_pch IngotOpsIncGen MegaOpsIncGen)
target_precompile_headers(ingot_pch PRIVATE ${PROJECT_SOURCE_DIR}/cmake/pch.h)
if(CMAKE_CXX_COMPILER_ID MATCHES Clang)
  target_compile_options(ingot_pch PUBLIC "SHELL:-Xclang -fno-pch-timestamp")
endif()

# ingot_add_library(NAME SOURCES a.cpp ... [DEPENDS generated-target ...] [LINK lib ...])
# A static, position-independent library of the compiler.
function(ingot_add_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPENDS;LINK" ${ARGN})
  add_library(${name} STATIC ${ARG_SOURCES})
  target_link_libraries(${name} PUBLIC ingot_mlir ${ARG_LINK})
  target_compile_options(${name} PRIVATE $<TARGET_PROPERTY:ingot_pch,INTERFACE_COMPILE_OPTIONS>)
  target_precompile_headers(${name} REUSE_FROM ingot_pch)
  if(ARG_DEPENDS)
    add_dependencies(${name} ${ARG_DEPENDS})
  endif()
endfunction()

# ingot_add_tool(NAME SOURCES a.cpp ... [LINK lib ...])
function(ingot_add_tool name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINK" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  # The precompiled header is built with -fPIC, which -fPIE would contradict.
  set_target_properties(${name} PROPERTIES POSITION_INDEPENDENT_CODE OFF)
  target_compile_options(${name} PRIVATE -fPIC)
  target_link_libraries(${name} PRIVATE ingot_mlir ${ARG_LINK})
  target_compile_options(${name} PRIVATE $<TARGET_PROPERTY:ingot_pch,INTERFACE_COMPILE_OPTIONS>)
  target_precompile_headers(${name} REUSE_FROM ingot_pch)
endfunction()

# ingot_add_passes(TARGET Passes.td NAME): Passes.h.inc in the build tree
# beside its .td.
function(ingot_add_passes target td name)
  set(LLVM_TARGET_DEFINITIONS ${td})
  mlir_tablegen(Passes.h.inc -gen-pass-decls -name ${name})
  add_public_tablegen_target(${target})
endfunction()
