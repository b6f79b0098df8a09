# Installs the engine into a fresh folder, then configures, builds and runs the example against it, as a user would; and
# configures a project that has the source tree as a part.  Neither may need what only the papers' programs use.
#
#   cmake -DBUILD=<build folder> -DTOBOGAN=<source tree> -DSOURCE=<this folder> -DGENERATOR=Ninja -DWORK=<scratch folder>
#         -P run.cmake
function(run)
  execute_process(COMMAND ${ARGV} WORKING_DIRECTORY ${WORK} RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE output)
  if(NOT status EQUAL 0)
    message(FATAL_ERROR "${ARGV} failed:\n${output}")
  endif()
endfunction()

function(without result)
  list(TRANSFORM ARGN REPLACE "(.+)" "-DCMAKE_DISABLE_FIND_PACKAGE_\\1=ON")
  set(${result} ${ARGN} PARENT_SCOPE)
endfunction()

file(REMOVE_RECURSE ${WORK})
file(MAKE_DIRECTORY ${WORK})
run(${CMAKE_COMMAND} --install ${BUILD} --prefix ${WORK}/prefix --component engine)
without(no_packages CLI11 Eigen3 fmt nlohmann_json)
run(${CMAKE_COMMAND} -G "${GENERATOR}" -S ${SOURCE} -B ${WORK}/example -DCMAKE_PREFIX_PATH=${WORK}/prefix -DCMAKE_BUILD_TYPE=Release
    ${no_packages})
run(${CMAKE_COMMAND} --build ${WORK}/example)
run(${WORK}/example/example)
run(${WORK}/example/wgan_gp)

file(WRITE ${WORK}/whole/CMakeLists.txt "cmake_minimum_required(VERSION 3.25)
project(Whole LANGUAGES CXX)
add_subdirectory(${TOBOGAN} tobogan)
add_executable(example ${SOURCE}/example.cpp)
target_link_libraries(example PRIVATE Tobogan::tobogan)
")
without(no_packages CLI11 Eigen3 fmt Catch2)
run(${CMAKE_COMMAND} -G "${GENERATOR}" -S ${WORK}/whole -B ${WORK}/whole/build ${no_packages})
