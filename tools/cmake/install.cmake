# SPDX-License-Identifier: Apache-2.0
# What `cmake --install` and `cpack` deliver: headers, both libraries, the package for CMake and the one for
# pkg-config, which all work wherever the folder is moved, and the command where it is built.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

install(DIRECTORY engine/include/octet DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(TARGETS octet_shared octet_static EXPORT octetTargets INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
if(OCTET_BUILD_TOOLS)
  install(TARGETS octet)
endif()
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})

set(config ${CMAKE_INSTALL_LIBDIR}/cmake/octet)
install(EXPORT octetTargets NAMESPACE octet:: DESTINATION ${config})
configure_package_config_file(tools/cmake/octetConfig.cmake.in octetConfig.cmake INSTALL_DESTINATION ${config}
  NO_SET_AND_CHECK_MACRO)
# Before 1.0 a minor version may change the API.
write_basic_package_version_file(octetConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/octetConfig.cmake ${CMAKE_BINARY_DIR}/octetConfigVersion.cmake DESTINATION ${config})

set(pkgconfig ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
set(private_libs "-lstdc++ -lm -pthread")
if(OCTET_WITH_TBB)
  string(PREPEND private_libs "-ltbb ")
endif()
file(RELATIVE_PATH to_prefix /prefix/${pkgconfig} /prefix)
string(REGEX REPLACE "/$" "" to_prefix ${to_prefix})
configure_file(tools/cmake/octet.pc.in octet.pc @ONLY)
install(FILES ${CMAKE_BINARY_DIR}/octet.pc DESTINATION ${pkgconfig})

# Who answers for a package is who builds it; a name under .invalid is nobody's.
set(CPACK_PACKAGE_CONTACT "a local build of octet without a maintainer <nobody@octet.invalid>" CACHE STRING
  "Name <address> of who builds the package")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "${PROJECT_DESCRIPTION}")
set(CPACK_RESOURCE_FILE_LICENSE ${PROJECT_SOURCE_DIR}/LICENSE)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS ON)
set(CPACK_DEBIAN_PACKAGE_SUGGESTS python3-numpy)
include(CPack)
