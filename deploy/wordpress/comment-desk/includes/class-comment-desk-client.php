<?php
/**
 * Calls the desk.
 *
 * @package Comment_Desk
 */

defined( 'ABSPATH' ) || exit;

/**
 * One request, one answer; never throws.
 */
class Comment_Desk_Client {

	/**
	 * Send one request with the site's key.
	 *
	 * @param string      $method  HTTP method.
	 * @param string      $path    Path from the desk's address, with its slash.
	 * @param array|null  $body    Sent as JSON.
	 * @param array       $headers Further headers.
	 * @param string|null $raw     Sent as it is, in place of a body.
	 * @return array{status: int, body: array, text: string} Status 0 stands for no answer.
	 */
	public static function call( $method, $path, $body = null, $headers = array(), $raw = null ) {
		$arguments = array(
			'method'      => $method,
			'timeout'     => (int) Comment_Desk_Settings::get( 'timeout_s' ),
			'redirection' => 0,
			'user-agent'  => 'CommentDesk/' . COMMENT_DESK_VERSION . '; WordPress/' . get_bloginfo( 'version' ),
			'headers'     => array_merge(
				array(
					'Authorization'   => 'Bearer ' . Comment_Desk_Settings::get( 'key' ),
					'Accept-Language' => str_replace( '_', '-', determine_locale() ),
					'Content-Type'    => 'application/json',
				),
				$headers
			),
		);
		if ( null !== $raw ) {
			$arguments['body']    = $raw;
			$arguments['timeout'] = 60;
		} elseif ( null !== $body ) {
			$arguments['body'] = wp_json_encode( $body );
		}
		$answer = wp_remote_request( Comment_Desk_Settings::get( 'address' ) . $path, $arguments );
		if ( is_wp_error( $answer ) ) {
			return array(
				'status' => 0,
				'body'   => array(),
				'text'   => '',
			);
		}
		$text    = (string) wp_remote_retrieve_body( $answer );
		$decoded = json_decode( $text, true );
		return array(
			'status' => (int) wp_remote_retrieve_response_code( $answer ),
			'body'   => is_array( $decoded ) ? $decoded : array(),
			'text'   => $text,
		);
	}

	/**
	 * Whether the same request may succeed later.
	 *
	 * @param int $status Status of `call`.
	 * @return bool
	 */
	public static function is_worth_a_retry( $status ) {
		return 0 === $status || 401 === $status || 403 === $status || 429 === $status || $status >= 500;
	}
}
