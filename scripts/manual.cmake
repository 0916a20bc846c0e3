# cmake -DTGMON=program -P manual.cmake: writes tgmon.1 and tgmon.bash into the current folder.
foreach(pair "--man;tgmon.1" "--bash-completion;tgmon.bash")
	list(GET pair 0 kind)
	list(GET pair 1 file)
	execute_process(COMMAND "${TGMON}" help ${kind} OUTPUT_FILE "${file}" RESULT_VARIABLE rc)
	if(rc)
		message(FATAL_ERROR "${TGMON} help ${kind} ended with ${rc}")
	endif()
endforeach()
